//! Giving a clip other markers. Everything else in it stays as it is, byte for byte.
//!
//! The file is written beside the clip and takes its name in one step, so that any failure leaves the clip whole. Its
//! date stays. Run by any thread that may take the time of a copy.

use std::{fs, path::Path};

use super::{
    assembly::{cannot_write, discard_unnamed},
    splice::Stamp,
};
use crate::{
    audio::Marker,
    error::{Error, ErrorKind, Result},
    format,
    storage::{Existing, FileSpool, Spool},
};

/// Gives the clip at `path` these markers and no others, in any order.
///
/// FLAC and Opus files keep the time of a marker to the millisecond, WAV files to the frame.
///
/// # Errors
/// [`ErrorKind::NotSupported`] if its format cannot be written or has no place for markers; [`ErrorKind::InvalidData`]
/// for a clip that is damaged, or changed by another program meanwhile; else those of [`format::open`] and of the file
/// system. Then the clip is as it was.
pub fn set_markers(path: &Path, markers: &[Marker]) -> Result<()> {
    let failed = |error| Error::from_io(error, format!("cannot read {}", path.display()));
    let target = path.canonicalize().map_err(failed)?;
    let name = path.display().to_string();
    let (container, rate) = {
        let decoder = format::open(&target)?;
        (decoder.container(), decoder.format().sample_rate)
    };
    let format = format::by_name(container)
        .ok_or_else(|| Error::new(ErrorKind::NotSupported, format!("markers cannot be written into {name}")))?;
    let stamp = Stamp::of(&target).map_err(failed)?;
    let mut input = fs::File::open(&target).map_err(failed)?;
    let there = input.metadata().map_err(failed)?;
    let mut sorted = markers.to_vec();
    sorted.sort_by_key(|marker| marker.frame);
    let mut spool = FileSpool::draft_beside(&target)
        .map_err(|error| Error::from_io(error, format!("cannot create a file beside {name}")))?;
    let written = format.rewrite_markers(&mut input, &mut |bytes| spool.append(bytes), (&sorted, rate), &name);
    let outcome = written.and_then(|patches| {
        let patched = patches.iter().try_for_each(|patch| spool.patch(patch.at, &patch.bytes));
        patched.map_err(|error| cannot_write(error, &name))?;
        if Stamp::of(&target).ok() != Some(stamp) {
            return Err(Error::new(ErrorKind::InvalidData, format!("{name} was changed meanwhile, its markers stay")));
        }
        if let Some(part) = spool.path() {
            // Some file systems have no permissions, and the date is stored elsewhere as well.
            let _ = fs::set_permissions(&part, there.permissions());
        }
        spool.commit(&target, Existing::Replace).map_err(|error| cannot_write(error, &name))
    });
    outcome.inspect_err(|_| discard_unnamed(&mut spool, &target))?;
    if let (Ok(modified), Ok(file)) = (there.modified(), fs::File::options().write(true).open(&target)) {
        let _ = file.set_modified(modified);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audio::{AudioFormat, Metadata, SampleFormat},
        format::{Delivery, EncoderSettings, Keeps, formats},
    };

    fn marker(frame: u64, text: &str) -> Marker {
        Marker { frame, text: text.to_owned() }
    }

    /// A clip of three seconds in that format.
    fn clip(name: &str, markers: Vec<Marker>) -> Vec<u8> {
        let format = format::by_name(name).unwrap();
        let audio = AudioFormat::new(48_000, 1, SampleFormat::S16);
        let metadata = Metadata { title: Some("talk".into()), markers, ..Metadata::default() };
        let settings = EncoderSettings { audio, bits_per_second: None, delivery: Delivery::File, metadata };
        let mut encoder = format.encoder(&settings).unwrap();
        let mut bytes = Vec::new();
        encoder.begin(&mut bytes).unwrap();
        let samples: Vec<f32> = (0..144_000_u32).map(|frame| (frame as f32 / 40.0).sin() * 0.3).collect();
        encoder.encode(&samples, &mut bytes).unwrap();
        encoder.finish(&mut bytes).unwrap();
        let seal = encoder.seal(bytes.len() as u64);
        bytes.truncate(usize::try_from(seal.length).unwrap());
        for patch in seal.patches {
            let at = usize::try_from(patch.at).unwrap();
            bytes[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
        }
        bytes
    }

    fn read(path: &Path) -> (Vec<f32>, Metadata) {
        let mut decoder = format::open(path).unwrap();
        let mut samples = Vec::new();
        while decoder.read(&mut samples, 4_096).unwrap() > 0 {}
        (samples, decoder.metadata().clone())
    }

    #[test]
    fn markers_are_set_renamed_and_deleted_in_every_format_and_the_sound_stays() {
        let has_room = |format: &&crate::format::Format| format.keeps != Keeps::Nothing;
        for format in formats().iter().filter(has_room) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("talk").with_extension(format.extension());
            fs::write(&path, clip(format.name, vec![marker(4_800, "old")])).unwrap();
            let (samples, tags) = read(&path);
            let date = fs::metadata(&path).unwrap().modified().unwrap();
            let many: Vec<Marker> =
                (0..90).map(|n| marker(n * 960, &format!("Ünder {n} {}", "x".repeat(90)))).collect();
            for markers in [vec![marker(96_000, ""), marker(48_000, "budget")], Vec::new(), many] {
                set_markers(&path, &markers).unwrap();
                let (now, found) = read(&path);
                let mut expected = markers;
                expected.sort_by_key(|marker| marker.frame);
                assert_eq!(found.markers, expected, "{}", format.name);
                assert!(now == samples, "{}", format.name);
                assert_eq!(found.title, tags.title);
            }
            assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), date);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "{}", format.name);
        }
    }

    #[test]
    fn a_damaged_clip_stays_as_it_is() {
        for (name, cut) in [("flac", 60), ("opus", 60)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("talk").with_extension(name);
            let bytes = clip(name, Vec::new());
            fs::write(&path, &bytes[..cut]).unwrap();
            assert!(set_markers(&path, &[marker(1, "x")]).is_err());
            assert_eq!(fs::read(&path).unwrap(), bytes[..cut]);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
        let dir = tempfile::tempdir().unwrap();
        assert!(set_markers(&dir.path().join("none.wav"), &[]).is_err());
    }
}
