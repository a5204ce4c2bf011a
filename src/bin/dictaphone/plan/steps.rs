//! Decisions about what happens during a recording: new files, the voice gate, what runs unattended. Pure.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use dictaphone::{
    audio::voice::Trigger,
    clips::retention::Keep,
    format::Keeps,
    media::{GateOptions, Split},
};

use super::{PathKind, Surroundings, Target, is_stdout, shown};
use crate::{
    cli::{
        RecordArgs,
        container::Container,
        size::Amount,
        steps::{StepArgs, Vox},
    },
    message::Failure,
};

/// What happens during a recording. Nothing by default.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Steps {
    /// When it goes on in a new file by itself.
    pub(crate) split: Option<Split>,
    /// All files together are not larger, in bytes.
    pub(crate) max_bytes: Option<u64>,
    /// Only what opens this gate is recorded.
    pub(crate) gate: Option<GateOptions>,
    /// What is kept while nothing is recorded.
    pub(crate) pre_roll: Duration,
    /// Silence after which it stops.
    pub(crate) stop_on_silence: Option<Duration>,
    /// How long to wait for a device that is not there yet.
    pub(crate) wait_device: Option<Duration>,
    /// How much of what was recorded before is kept.
    pub(crate) keep: Option<Keep>,
    /// The second copy's folder.
    pub(crate) also: Option<PathBuf>,
    /// A tone at the start and at the stop.
    pub(crate) cue: bool,
}

impl Steps {
    /// Whether all its files are called FILE with a number.
    pub(crate) fn numbers_files(&self) -> bool {
        self.split.is_some() || self.gate.is_some_and(|gate| gate.splits)
    }
}

/// How long a gate stays open by default, what it keeps from before, and the level that opens it.
const HANG_DEFAULT: Duration = Duration::from_secs(2);
const GATE_LEAD: Duration = Duration::from_millis(500);
const THRESHOLD_DBFS: f32 = -40.0;
/// Without a threshold the quietest speech that can be understood opens the gate.
const LEAST_SPEECH_DBFS: f32 = -65.0;

/// Decides.
///
/// # Errors
/// A usage failure for arguments that contradict each other.
pub(super) fn steps(
    args: &RecordArgs,
    target: &Target,
    container: Container,
    around: &Surroundings<'_>,
) -> Result<Steps, Failure> {
    let words = &args.steps;
    refuse_contradictions(words, args)?;
    if words.keep.is_some() && container.format().keeps == Keeps::Nothing {
        return Err(Failure::usage(
            format!(
                "--keep knows its files by what they say about themselves, and {} says nothing",
                container.format().name
            ),
            "leave --keep out, or choose another format",
        ));
    }
    let gate = gate(words);
    let also = words.also.as_deref().map(|folder| also(folder, target, around)).transpose()?;
    Ok(Steps {
        split: split(words)?,
        max_bytes: words.max_size,
        pre_roll: words.pre_roll.unwrap_or_default(),
        gate,
        stop_on_silence: words.stop_on_silence,
        wait_device: words.wait_device,
        keep: words.keep.map(|amount| match amount {
            Amount::Length(length) => Keep::Length(length),
            Amount::Bytes(bytes) => Keep::Bytes(bytes),
        }),
        also,
        cue: words.cue,
    })
}

fn split(words: &StepArgs) -> Result<Option<Split>, Failure> {
    match (words.split, words.split_align) {
        (None, false) => Ok(None),
        (None, true) => Err(Failure::usage("--split-align needs --split", "`--split 1h --split-align`")),
        (Some(Amount::Bytes(_)), true) => Err(Failure::usage(
            "--split-align needs a --split by time, a size has no place on the clock",
            "`--split 1h --split-align`",
        )),
        (Some(Amount::Bytes(bytes)), false) => Ok(Some(Split::Bytes(bytes))),
        (Some(Amount::Length(length)), true) => Ok(Some(Split::Aligned(length))),
        (Some(Amount::Length(length)), false) => Ok(Some(Split::Every(length))),
    }
}

fn gate(words: &StepArgs) -> Option<GateOptions> {
    let vox = words.vox.or(words.vox_split.then_some(Vox::Speech))?;
    let trigger = match vox {
        Vox::Speech => Trigger::Speech { least_dbfs: words.threshold.unwrap_or(LEAST_SPEECH_DBFS) },
        Vox::Level => Trigger::Level { threshold_dbfs: words.threshold.unwrap_or(THRESHOLD_DBFS) },
    };
    let lead = if words.pre_roll.is_some() { Duration::ZERO } else { GATE_LEAD };
    Some(GateOptions::new(trigger, words.hang.unwrap_or(HANG_DEFAULT)).splits(words.vox_split).lead(lead))
}

fn refuse_contradictions(words: &StepArgs, args: &RecordArgs) -> Result<(), Failure> {
    let has_gate = words.vox.is_some() || words.vox_split;
    for (given, flag) in [(words.threshold.is_some(), "--threshold"), (words.hang.is_some(), "--hang")] {
        if given && !has_gate {
            return Err(Failure::usage(format!("{flag} needs --vox"), "`--vox` records only while somebody speaks"));
        }
    }
    let to_stdout = args.file.as_deref().is_some_and(is_stdout);
    for (given, flag) in [
        (words.split.is_some(), "--split"),
        (words.vox_split, "--vox-split"),
        (words.keep.is_some(), "--keep"),
        (words.also.is_some(), "--also"),
    ] {
        if given && to_stdout {
            return Err(Failure::usage(
                format!("{flag} needs a file, and `-` is standard output"),
                format!("leave {flag} out, or write a file name instead of `-`"),
            ));
        }
    }
    if words.vox_split && words.split.is_some() {
        return Err(Failure::usage("--vox-split and --split both say where a file ends", "leave one of them out"));
    }
    Ok(())
}

/// The folder of the second copies is missing: it is never made, since its disk may not be mounted.
pub(crate) fn no_second_folder(folder: &Path) -> Failure {
    Failure::usage(format!("the folder {} of --also is not there", shown(folder)), "make it, or mount its disk")
}

/// The second copy must have a folder that exists, so that it is not written to another disk than was meant, and
/// another folder than the first copy.
fn also(folder: &Path, target: &Target, around: &Surroundings<'_>) -> Result<PathBuf, Failure> {
    if (around.look)(folder) != PathKind::Folder {
        return Err(no_second_folder(folder));
    }
    let first = match target {
        Target::NewIn(first, _) => Some(first.as_path()),
        Target::File(file, _) => Some(match file.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => parent,
            None => Path::new("."),
        }),
        Target::Stdout => None,
    };
    let real = |folder: &Path| folder.canonicalize().ok();
    if first.is_some_and(|first| first == folder || real(first).is_some_and(|first| real(folder) == Some(first))) {
        return Err(Failure::usage(
            "--also names the folder of the recording itself",
            "name a folder on another disk, so that one of them may fail",
        ));
    }
    Ok(folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(words: StepArgs, file: Option<&str>) -> Result<Steps, Failure> {
        let args = RecordArgs { file: file.map(Into::into), steps: words, ..RecordArgs::default() };
        let look = |path: &Path| if path.ends_with("there") { PathKind::Folder } else { PathKind::Nothing };
        let around = Surroundings {
            stdout_is_terminal: false,
            stdout_is_closed: false,
            defaults: RecordArgs::default(),
            dictaphone_dir: None,
            music_folder: None,
            home: None,
            look: &look,
        };
        let target = Target::File(file.unwrap_or("there/x.wav").into(), dictaphone::storage::Existing::Keep);
        steps(&args, &target, Container::usual(), &around)
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn nothing_happens_on_the_way_unless_asked_for() {
        assert_eq!(decide(StepArgs::default(), None).unwrap(), Steps::default());
    }

    #[test]
    fn a_gate_has_a_hang_a_pre_roll_and_a_level_of_its_own() {
        let gate = |words: StepArgs| decide(words, None).unwrap();
        let speech = gate(StepArgs { vox: Some(Vox::Speech), ..StepArgs::default() });
        assert_eq!(speech.pre_roll, Duration::ZERO);
        let expected =
            GateOptions::new(Trigger::Speech { least_dbfs: LEAST_SPEECH_DBFS }, HANG_DEFAULT).lead(GATE_LEAD);
        assert_eq!(speech.gate, Some(expected));
        let level = gate(StepArgs {
            vox: Some(Vox::Level),
            threshold: Some(-20.0),
            hang: Some(Duration::ZERO),
            pre_roll: Some(Duration::ZERO),
            ..StepArgs::default()
        });
        assert_eq!(level.pre_roll, Duration::ZERO);
        let expected = GateOptions::new(Trigger::Level { threshold_dbfs: -20.0 }, Duration::ZERO);
        assert_eq!(level.gate, Some(expected));
        let split = gate(StepArgs { vox_split: true, ..StepArgs::default() });
        assert!(split.numbers_files() && split.gate.is_some_and(|gate| gate.splits));
    }

    #[test]
    fn contradictions_are_named_in_one_line() {
        let words = StepArgs::default;
        for (words, file, word) in [
            (StepArgs { split_align: true, ..words() }, None, "--split-align needs --split"),
            (
                StepArgs { split: Some(Amount::Bytes(1 << 20)), split_align: true, ..words() },
                None,
                "--split-align needs a --split by time",
            ),
            (StepArgs { threshold: Some(-40.0), ..words() }, None, "--threshold needs --vox"),
            (StepArgs { hang: Some(MINUTE), ..words() }, None, "--hang needs --vox"),
            (StepArgs { split: Some(Amount::Length(MINUTE)), ..words() }, Some("-"), "--split needs a file"),
            (StepArgs { also: Some("there".into()), ..words() }, Some("-"), "--also needs a file"),
            (
                StepArgs { split: Some(Amount::Length(MINUTE)), vox_split: true, ..words() },
                None,
                "both say where a file ends",
            ),
            (StepArgs { also: Some("missing".into()), ..words() }, None, "is not there"),
            (StepArgs { also: Some("there".into()), ..words() }, None, "the folder of the recording itself"),
        ] {
            let failure = decide(words, file).unwrap_err();
            assert!(failure.message.text.contains(word), "{}", failure.message.text);
            assert!(!failure.message.text.contains('\n'));
        }
    }
}
