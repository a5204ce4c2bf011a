//! The handle of a player: its controls and its state.
//!
//! Any thread may call. The work is done by the thread `player`, in `engine`, which lives as long as the handle.

use std::{
    fmt,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use super::{
    engine::{Engine, PlayerCommand},
    output::Output,
    state::{PlayerState, Status},
};
use crate::{
    audio::AudioFormat,
    error::{Error, ErrorKind, Result},
    format::Decoder,
};

/// How long the end of a player may block the thread that drops it.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// Plays one recording. Commands are executed in their order, each within some hundredths of a second; no call waits.
///
/// ```no_run
/// use std::{thread::sleep, time::Duration};
/// use dictaphone::{format, playback::{Player, Speaker, Status}};
///
/// let player = Player::open(format::open("take.wav".as_ref())?, Box::new(Speaker::default()))?;
/// player.set_speed(1.5);
/// player.play();
/// while player.state().status == Status::Playing {
///     sleep(Duration::from_millis(50));
/// }
/// if let Some(error) = player.state().error {
///     return Err(error);
/// }
/// # Ok::<(), dictaphone::Error>(())
/// ```
pub struct Player {
    commands: Sender<PlayerCommand>,
    state: Arc<Mutex<PlayerState>>,
    format: AudioFormat,
    /// Disconnected when the thread is at its end.
    ended: Receiver<()>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Player {
    /// A paused player at the start of the recording. The output is opened when it is first played.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`] if no thread can be started.
    pub fn open(decoder: Box<dyn Decoder>, output: Box<dyn Output>) -> Result<Self> {
        let format = decoder.format();
        let state = Arc::new(Mutex::new(PlayerState {
            status: Status::Paused,
            position: 0,
            length: decoder.frames(),
            sample_rate: format.sample_rate,
            speed: 1.0,
            volume: 1.0,
            repeat: None,
            peak: 0.0,
            error: None,
            damage: decoder.damage().sentence(format.sample_rate),
        }));
        let (commands, receiver) = channel();
        let (alive, ended) = channel();
        let shared = Arc::clone(&state);
        let run = move || {
            let _alive = alive;
            Engine::new(decoder, output, shared).run(&receiver);
        };
        let thread = thread::Builder::new()
            .name("player".to_owned())
            .spawn(run)
            .map_err(|error| Error::new(ErrorKind::Unknown, "cannot start the player").with_source(error))?;
        Ok(Self { commands, state, format, ended, thread: Some(thread) })
    }

    /// Rate, channels and sample format of the recording.
    #[must_use]
    pub fn format(&self) -> AudioFormat {
        self.format
    }

    /// Its current state.
    #[must_use]
    pub fn state(&self) -> PlayerState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Plays from the current position; from the start if it is at the end.
    pub fn play(&self) {
        self.send(PlayerCommand::Play);
    }

    /// Pauses. No frame is lost: what the device had already taken is still heard.
    pub fn pause(&self) {
        self.send(PlayerCommand::Pause);
    }

    /// Pauses if it plays, else plays.
    pub fn toggle(&self) {
        self.send(PlayerCommand::Toggle);
    }

    /// Seeks to exactly that frame, or to the end if that comes first. Plays on if it was playing.
    pub fn seek(&self, frame: u64) {
        self.send(PlayerCommand::Seek(frame));
    }

    /// Seeks that much forward from the frame being heard.
    pub fn seek_forward(&self, by: Duration) {
        self.send(PlayerCommand::SeekForward(by));
    }

    /// Seeks that much back from the frame being heard.
    pub fn seek_back(&self, by: Duration) {
        self.send(PlayerCommand::SeekBack(by));
    }

    /// Plays slower or faster with the pitch kept: 0.5 to 3, values beyond are limited, and NaN changes nothing.
    pub fn set_speed(&self, speed: f64) {
        self.send(PlayerCommand::Speed(speed));
    }

    /// A factor for every sample, limited to 0 … 4 (+12 dB); NaN changes nothing.
    pub fn set_volume(&self, factor: f32) {
        self.send(PlayerCommand::Volume(factor));
    }

    /// Repeats these frames: at the end of the range playing continues at its start. A position after the range moves
    /// to its start. A range without frames of the recording repeats nothing; one that is shorter than 20 ms is
    /// extended to 20 ms.
    pub fn set_loop(&self, frames: Option<Range<u64>>) {
        self.send(PlayerCommand::Repeat(frames));
    }

    /// Ends the thread and closes the output, as dropping does.
    pub fn stop(self) {
        drop(self);
    }

    fn send(&self, command: PlayerCommand) {
        // Without a thread there is nothing to command; its end is visible in the state.
        let _ = self.commands.send(command);
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.send(PlayerCommand::Stop);
        // A dead sound server may block the thread for longer; then it ends by itself.
        let in_time = self.ended.recv_timeout(STOP_LIMIT) != Err(std::sync::mpsc::RecvTimeoutError::Timeout);
        match self.thread.take() {
            Some(thread) if in_time => {
                let _ = thread.join();
            }
            _ => log::warn!("the player takes longer than {} s to stop and ends by itself", STOP_LIMIT.as_secs()),
        }
    }
}

impl fmt::Debug for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Player").field("format", &self.format).field("state", &self.state()).finish_non_exhaustive()
    }
}
