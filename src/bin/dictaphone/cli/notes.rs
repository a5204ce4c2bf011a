//! What stands below the flags in each command's help: examples, keys, signals, exit codes.

use crate::message::exit::Exit;

fn exit_codes() -> String {
    format!("Exit codes:\n{}", Exit::table())
}

pub(super) fn root_notes() -> String {
    format!(
        "Without a command the dictaphone opens: a screen to record, listen and keep order in. Its keys are listed there, by `?`.

Examples:
  dictaphone                            open the screen
  dictaphone -i USB --preset voice      open it with that microphone and format
  dictaphone record                     record into the clips folder until q or Ctrl-C
  dictaphone record -d 1m30s take.wav   record ninety seconds
  dictaphone devices                    what can be recorded from
  dictaphone list                       what was recorded
  dictaphone play take.wav              listen to it

{CONFIG_NOTES}

{}",
        exit_codes()
    )
}

const CONFIG_NOTES: &str = "Config:
  `dictaphone/config.toml` in the user's config folder, or the file of --config, in TOML. Every
  flag of `record` can have its default there; flags and environment are stronger.
      preset = \"voice\"
      dir = \"~/Recordings\"
      back_step = \"2s\"             # of the screen: so far back playing goes on after a pause
      crossfade = true              # of the screen: what meets after a cut fades over in 5 ms
      [keys]                        # of the screen: a key or a list of them; none with []
      record = [\"r\", \"f5\"]
      stop = \"ctrl-s\"
      [profile.meeting]             # with --profile meeting
      channels = 2

Environment:
  DICTAPHONE_DIR   the clips folder
  DICTAPHONE_PLAIN 1: the screen as lines, as with --plain
  NO_COLOR         no colours";

pub(super) fn record_notes() -> String {
    format!(
        "Examples:
  dictaphone record                               a new name in the clips folder
  dictaphone record interview.wav                 until q, Enter or Ctrl-C; space pauses
  dictaphone record -d 90 -i USB memo.wav         ninety seconds from the device named so
  dictaphone record --bitrate 24 memo.opus        an hour in 11 MB
  dictaphone record --preset voice - | whisper    speech-to-text reads along
  dictaphone record --reconnect 5m talk.wav       waits for a microphone that was unplugged
  dictaphone record -f raw -r 16k -c 1 - | sox -t raw -r 16k -c 1 -b 16 -e signed - x.flac
  dictaphone record -i tone -d 5 --fast tone.wav  a test tone, made at once
  dictaphone record --split 1h --split-align --keep 7d watch/
                                                  a file every hour, the last week of them
  dictaphone record --vox-split notes/            a file each time that somebody speaks

Keys on a terminal:
  space       pause, resume
  m           set a marker here
  n           go on in a new file
  k           keep going, although nobody speaks (--stop-on-silence)
  q, Enter    stop and save
  Ctrl-C      stop and save; again while saving: leave at once

Signals:
  INT, TERM, HUP, QUIT   stop and save
  USR1                   go on in a new file
  USR2                   pause, resume

{}",
        exit_codes()
    )
}

pub(super) fn play_notes() -> String {
    format!(
        "Examples:
  dictaphone play                             the newest clip
  dictaphone play take.wav                    from the start to the end
  dictaphone play --start 1:30 -s 1.5 take.wav  from there on, faster

Keys on a terminal:
  space               pause, resume
  left, right         5 seconds back, forward; with shift 30 seconds
  , .                 to the marker before, behind
  0 to 9              to that tenth of the whole
  [, ]                slower, faster
  q, Enter, Ctrl-C    stop

Signals:
  INT, TERM, HUP, QUIT   stop
  USR2                   pause, resume

{}",
        exit_codes()
    )
}

pub(super) fn convert_notes() -> String {
    format!(
        "Examples:
  dictaphone convert interview interview-small.wav --preset voice
  dictaphone convert take.wav ~/Music/take.wav -r 44.1k -c 2 -b s24
  dictaphone convert take.wav - -f raw -r 16k -c 1 | whisper
  dictaphone convert lecture.flac question.wav --from 1:20:00 --to 1:21:30 --crossfade
  dictaphone convert memo.wav memo.opus --trim-silence
  dictaphone convert quiet.wav loud.wav --loudness -16

The clip is never changed. OUT gets its name when it is complete; an error, and Ctrl-C, which
cancels with exit code 130, leave nothing of it. What need not change passes bit for bit. Tags,
pictures, markers, bext and iXML come along; what the new file has no place for is said.

{}",
        exit_codes()
    )
}

pub(super) const DEVICES_NOTES: &str = "Examples:
  dictaphone devices
  dictaphone devices --json | jq -r '.[].id'";

pub(super) const LIST_NOTES: &str = "Examples:
  dictaphone list
  dictaphone list --sort name --dir ~/interviews
  dictaphone list --json | jq -r '.[] | select(.duration_s > 60) | .path'";

pub(super) const INFO_NOTES: &str = "Examples:
  dictaphone info                                       the newest clip
  dictaphone info interview
  dictaphone info ./take.wav
  dictaphone info interview --from 10:00 --to 12:30     the waveform of these minutes
  dictaphone info interview --markers audacity > labels.txt
  dictaphone info interview --json | jq .loudness_lufs";

pub(super) const LEVELS_NOTES: &str = "Examples:
  dictaphone levels
  dictaphone levels -i usb -d 20s
  dictaphone record --vox=level --threshold $(dictaphone levels --json | jq .threshold_dbfs)

Be silent for a moment and then speak as you will later. Levels are RMS in dBFS.";

pub(super) const RENAME_NOTES: &str = "Examples:
  dictaphone rename 2026-11-20_14-05-09 interview
  dictaphone rename ./take.wav 'interview with Anna'

Another file is never replaced.";

pub(super) const DELETE_NOTES: &str = "Examples:
  dictaphone delete interview
  dictaphone delete --permanent take-2.wav take-3.wav";

pub(super) const RECOVER_NOTES: &str =
    "After a crash or a power cut the recording is in a hidden file `.NAME.EXT.part`. This gives
it a right header and its name, keeps its date, and touches neither whole files nor files that are still being written.
In a folder only such hidden files are looked at; a file that another recorder left broken is named.

Examples:
  dictaphone recover                    everything in the clips folder
  dictaphone recover --dry-run .        what would be done in this folder
  dictaphone recover broken.wav         a file whose recorder died, whichever it was";

pub(super) const CONFIG_COMMAND_NOTES: &str = "Examples:
  dictaphone config
  dictaphone config --profile meeting
  dictaphone config --json | jq -r .path

Exit code 2 if something in it cannot be taken.";
pub(super) const CTL_NOTES: &str = "Examples:
  dictaphone ctl toggle                 start in the background; the next call stops and prints the path
  dictaphone ctl start -- -i usb --preset voice
  dictaphone ctl mark the budget
  dictaphone ctl stop --tail 300ms
  dictaphone ctl follow --format waybar

Exit codes: 0 done, 1 refused by the recorder's state, 3 saved but not whole, 6 no recorder is running.
docs/CONTROL.md describes the socket for programs.";

pub(super) const MAN_NOTES: &str = "Examples:
  dictaphone man | man -l -
  dictaphone man > ~/.local/share/man/man1/dictaphone.1";

pub(super) const COMPLETIONS_NOTES: &str = "Examples:
  dictaphone completions bash > ~/.local/share/bash-completion/completions/dictaphone
  dictaphone completions zsh > ~/.zfunc/_dictaphone
  dictaphone completions fish > ~/.config/fish/completions/dictaphone.fish";
