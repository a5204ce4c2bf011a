//! The input that was chosen last, and which of its channels, in a small file of the user's state folder. A user
//! without such a folder has to choose anew each time.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use dictaphone::{
    audio::ChannelMap,
    capture::{DeviceInfo, DeviceKind},
};

/// An input by its id, and the name it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) id: String,
    pub(crate) label: String,
    /// What is kept of it, if that is not everything.
    pub(crate) map: Option<ChannelMap>,
}

/// No device has a longer name.
const SIZE_MAX: u64 = 4_096;

/// Where the choice is kept.
pub(crate) fn place() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir)?;
    Some(folder.join("dictaphone").join("input"))
}

/// The input that was chosen last, unless the user has chosen one for all programs.
pub(crate) fn last() -> Option<Remembered> {
    let is_overruled = env::var_os("PULSE_SOURCE").is_some_and(|name| !name.is_empty());
    place().filter(|_| !is_overruled).and_then(|place| Remembered::load(&place))
}

/// Makes the input that was chosen last the default of that list, as it is for a recording.
pub(crate) fn mark(devices: &mut [DeviceInfo]) {
    let is_input = |device: &DeviceInfo| device.kind == DeviceKind::Input;
    let Some(last) = last() else { return };
    if devices.iter().any(|device| is_input(device) && device.id == last.id) {
        devices
            .iter_mut()
            .filter(|device| is_input(device))
            .for_each(|device| device.is_default = device.id == last.id);
        devices.sort_by_key(DeviceInfo::place_in_lists);
    }
}

impl Remembered {
    /// What the file at `path` contains, if this program wrote it: the id, the name, and perhaps the channels, a line
    /// each.
    pub(crate) fn load(path: &Path) -> Option<Self> {
        use io::Read as _;
        let mut text = String::new();
        fs::File::open(path).ok()?.take(SIZE_MAX).read_to_string(&mut text).ok()?;
        let mut lines = text.trim_end().split('\n');
        let (id, label) = (lines.next()?, lines.next()?);
        let map = lines.next().map(str::parse).transpose().ok()?;
        let is_whole = !id.is_empty() && !label.is_empty() && lines.next().is_none();
        is_whole.then(|| Self { id: id.to_owned(), label: label.to_owned(), map })
    }

    /// Stores it for the next time.
    ///
    /// # Errors
    /// Those of the file system, and for a name with a line break in it.
    pub(crate) fn store(&self, path: &Path) -> io::Result<()> {
        if self.id.contains('\n') || self.label.contains('\n') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name has a line break in it"));
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // A concurrent reader gets the old choice or the new one.
        let part = path.with_extension(std::process::id().to_string());
        let map = self.map.as_ref().map_or_else(String::new, |map| format!("{map}\n"));
        let text = format!("{}\n{}\n{map}", self.id, self.label);
        let written = fs::write(&part, text).and_then(|()| fs::rename(&part, path));
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_loaded_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("input");
        assert_eq!(Remembered::load(&path), None);
        let chosen = |id: &str, label: &str| Remembered { id: id.into(), label: label.into(), map: None };
        let of_four = Remembered { map: Some("3,1".parse().unwrap()), ..chosen("pulseaudio:four", "four") };
        for choice in [chosen("pulseaudio:mic", "Mikrofon – Zoë"), of_four, chosen("alsa:hw:1", "x")] {
            choice.store(&path).unwrap();
            assert_eq!(Remembered::load(&path), Some(choice));
        }
        assert!(chosen("a\nb", "c").store(&path).is_err());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
        for text in ["", "id", "id\n", "\nlabel", "a\nb\nc", "a\nb\n0", "a\nb\n1\n2", "\u{0}"] {
            fs::write(&path, text).unwrap();
            assert_eq!(Remembered::load(&path), None, "{text:?}");
        }
        fs::write(&path, [0xff, b'\n', 0xfe]).unwrap();
        assert_eq!(Remembered::load(&path), None);
    }
}
