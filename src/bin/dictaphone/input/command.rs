//! The commands to whatever runs: a recording, a clip that is played, the screen. Keys, signals and every other kind of
//! control become the same commands.

use std::{sync::Arc, time::Duration};

/// A command of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Pause a running recording, resume a paused one.
    TogglePause,
    /// Pause; nothing if it is paused.
    Pause,
    /// Resume; nothing if it runs.
    Resume,
    /// Set a marker at this place, with that text.
    Mark(String),
    /// Go on in a new file.
    Next,
    /// Go on although nobody speaks.
    KeepGoing,
    /// Start to record if nothing is recorded: requested on the control socket, which only Unix has.
    #[cfg_attr(not(unix), allow(dead_code))]
    Start,
    /// Stop and save.
    Stop,
    /// End the program when what is recorded is saved: requested on the control socket.
    #[cfg_attr(not(unix), allow(dead_code))]
    Quit,
    /// Go that much back; only while playing.
    SeekBack(Duration),
    /// Go that much on; only while playing.
    SeekForward(Duration),
    /// Play slower.
    Slower,
    /// Play faster.
    Faster,
    /// Go to the marker before this place; only while playing.
    PreviousMarker,
    /// Go to the marker behind this place; only while playing.
    NextMarker,
    /// Go to so many tenths of the whole; only while playing.
    Tenth(u8),
    /// Draw the live line anew: the process was stopped and runs again, which only Unix has.
    #[cfg_attr(not(unix), allow(dead_code))]
    Redraw,
}

/// Delivers a command to where it is carried out. Called from several threads; must not block.
pub(crate) type Deliver = Arc<dyn Fn(Command) + Send + Sync>;
