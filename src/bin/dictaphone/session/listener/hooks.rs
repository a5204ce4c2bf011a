//! Programs of the user that run when a file is safe (`--on-saved`).
//!
//! One thread, `hooks`, runs them one after the other, in the order of the files, so that no recording waits for them
//! and two never run at a time. What they print goes to where the caller says; a failure is a warning, since the recording is
//! whole. A program that hangs is reported after a minute, and waited for at the end until the user ends the wait.

use std::{
    ffi::OsString,
    io::{self, BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use dictaphone::audio::time::seconds;

use crate::{
    message::{Failure, Message, failed, visible},
    plan::hook::Hook,
    report::Report,
    session::{Listener, SessionEvent, What},
};

/// After so long without an end a program is reported.
const HANG_REPORTED_AFTER: Duration = Duration::from_secs(60);
/// How often to check whether a program has ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// How long to wait for the last output of a program that has ended; what it left in the background may hold its
/// streams.
const LAST_WORDS_TIMEOUT: Duration = Duration::from_millis(500);

/// Where it is reported what the programs print, and what went wrong with them.
pub(crate) trait HookReport: Clone + Send + 'static {
    /// A line that a program has printed, as it is.
    fn output(&self, line: &str);
    /// A program has failed, or hangs.
    fn warning(&self, message: &Message);
}

impl HookReport for Report {
    fn output(&self, line: &str) {
        self.note(line);
    }

    fn warning(&self, message: &Message) {
        Self::warning(self, message);
    }
}

/// A finished file, as it is passed to a program.
#[derive(Debug, Clone)]
struct SavedFile {
    path: PathBuf,
    duration_s: f64,
    lost_frames: u64,
}

/// Passes finished files to the thread that runs the programs.
pub(crate) struct Hooks {
    files: Option<Sender<SavedFile>>,
    thread: Option<JoinHandle<()>>,
}

impl Hooks {
    /// # Errors
    /// When the system refuses the thread.
    pub(crate) fn start(hooks: Vec<Hook>, report: impl HookReport) -> Result<Self, Failure> {
        let (files, arrivals) = channel();
        let run = move || run_all(&hooks, &arrivals, &report);
        let thread = thread::Builder::new().name("hooks".to_owned()).spawn(run);
        let thread =
            thread.map_err(|error| failed(format!("cannot start a thread: {error}"), "leave --on-saved out"))?;
        Ok(Self { files: Some(files), thread: Some(thread) })
    }
}

impl Listener for Hooks {
    fn on_event(&mut self, event: &SessionEvent<'_>) {
        let (What::FileSaved(outcome) | What::Finished(outcome)) = event.what else { return };
        // Where the last file was reported before, the programs have it already.
        let (Some(path), Some(files), false) = (outcome.path(), &self.files, outcome.is_known) else { return };
        let _ = files.send(SavedFile {
            path: path.to_owned(),
            duration_s: seconds(outcome.frames, outcome.sample_rate),
            lost_frames: outcome.lost_frames(),
        });
    }
}

impl Drop for Hooks {
    /// Waits for what still runs. A second Ctrl-C leaves the program meanwhile.
    fn drop(&mut self) {
        drop(self.files.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run_all(hooks: &[Hook], files: &Receiver<SavedFile>, report: &impl HookReport) {
    for file in files {
        for hook in hooks {
            if let Err(why) = run(hook, &file, report) {
                let text = format!("`{}` for {}: {why}", visible(&hook.line), visible(&file.path.to_string_lossy()));
                report.warning(&Message::new(text).hint("the recording itself is saved"));
            }
        }
    }
}

fn run(hook: &Hook, file: &SavedFile, report: &impl HookReport) -> Result<(), String> {
    let path = std::path::absolute(&file.path).unwrap_or_else(|_| file.path.clone());
    let mut child = command(hook, &path, file).spawn().map_err(|error| format!("it cannot be run: {error}"))?;
    let last_line = Arc::new(Mutex::new(String::new()));
    let streams: [Option<Box<dyn Read + Send>>; 2] =
        [child.stdout.take().map(|out| Box::new(out) as _), child.stderr.take().map(|error| Box::new(error) as _)];
    let readers = streams.into_iter().flatten().map(|stream| pass_on(stream, report.clone(), Arc::clone(&last_line)));
    let readers: Vec<JoinHandle<()>> = readers.filter_map(Result::ok).collect();
    let status = wait(&mut child, HANG_REPORTED_AFTER, || {
        let text = format!("`{}` has been running for a minute", visible(&hook.line));
        report.warning(&Message::new(text).hint("the recording is saved; a second Ctrl-C leaves at once"));
    })?;
    let until = Instant::now() + LAST_WORDS_TIMEOUT;
    while !readers.iter().all(JoinHandle::is_finished) && Instant::now() < until {
        thread::sleep(LOOK_INTERVAL);
    }
    judge(status, &last_line.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Waits for its end, and reports once if that has not come in time.
fn wait(child: &mut Child, limit: Duration, report: impl FnOnce()) -> Result<ExitStatus, String> {
    let (started, mut report) = (Instant::now(), Some(report));
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status);
        }
        thread::sleep(LOOK_INTERVAL);
        if started.elapsed() >= limit {
            report.take().into_iter().for_each(|report| report());
        }
    }
}

fn judge(status: ExitStatus, last_line: &str) -> Result<(), String> {
    let why = match status.code() {
        Some(0) => return Ok(()),
        Some(code) => format!("it ended with exit code {code}"),
        None => format!("it was ended by a signal ({status})"),
    };
    Err(if last_line.is_empty() { why } else { format!("{why}: {}", visible(last_line)) })
}

fn command(hook: &Hook, path: &Path, file: &SavedFile) -> Command {
    let mut command = Command::new(&hook.program);
    command.args(hook.arguments.iter().map(|word| fill(word, path)));
    command.env("DICTAPHONE_PATH", path);
    command.env("DICTAPHONE_NAME", path.file_stem().unwrap_or_default());
    command.env("DICTAPHONE_FORMAT", path.extension().unwrap_or_default());
    command.env("DICTAPHONE_DURATION_S", format!("{:.3}", file.duration_s));
    command.env("DICTAPHONE_LOST_FRAMES", file.lost_frames.to_string());
    command.env("DICTAPHONE_EVENT", "saved");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // The Ctrl-C that stops the recording must not stop what is done with the file before.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// The argument with the path in the place of each `{}`; a path need not be Unicode.
fn fill(word: &str, path: &Path) -> OsString {
    let mut filled = OsString::new();
    for (number, part) in word.split("{}").enumerate() {
        if number > 0 {
            filled.push(path);
        }
        filled.push(part);
    }
    filled
}

/// Writes what comes from a program line by line to where messages go, and keeps the last one.
fn pass_on(
    stream: Box<dyn Read + Send>,
    report: impl HookReport,
    last: Arc<Mutex<String>>,
) -> io::Result<JoinHandle<()>> {
    let run = move || {
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            report.output(&text);
            if !text.is_empty() {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = text;
            }
        }
    };
    thread::Builder::new().name("hook-output".to_owned()).spawn(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_program_that_hangs_is_reported_once_and_waited_for() {
        for (limit, reports) in [(Duration::ZERO, 1), (HANG_REPORTED_AFTER, 0)] {
            let mut child = Command::new("sh").args(["-c", "sleep 0.2; exit 7"]).spawn().unwrap();
            let mut reported = 0;
            let status = wait(&mut child, limit, || reported += 1).unwrap();
            assert_eq!((status.code(), reported), (Some(7), reports));
        }
    }

    #[test]
    fn the_path_stands_wherever_the_braces_are() {
        let path = Path::new("/a b/take.wav");
        for (word, filled) in [
            ("{}", "/a b/take.wav"),
            ("s3://x{}.bak", "s3://x/a b/take.wav.bak"),
            ("{}{}", "/a b/take.wav/a b/take.wav"),
            ("x", "x"),
        ] {
            assert_eq!(fill(word, path), OsString::from(filled), "{word}");
        }
    }
}
