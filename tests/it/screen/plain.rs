//! The screen as lines, for screen readers and logs.

use super::{hand::*, *};
use crate::support::server::Server as _;

/// What stands in a line of its own, in the order in which it comes.
struct Lines<'a> {
    terminal: &'a mut Terminal,
    read: usize,
}

impl Lines<'_> {
    /// Waits for a line that has these words, behind the one that was waited for before.
    #[track_caller]
    fn wait_for(&mut self, words: &str) {
        let find = |terminal: &Terminal, from: usize| {
            let raw = String::from_utf8(terminal.raw()).expect("nothing but text");
            let whole = raw.rfind('\n').map_or(0, |end| end + 1);
            let rest = raw.get(from..whole)?.to_owned();
            let at = rest.find(words)?;
            Some(from + at + rest[at..].find('\n')? + 1)
        };
        let found = wait::poll(wait::DEADLINE, || find(self.terminal, self.read));
        let all = || String::from_utf8_lossy(&self.terminal.raw()).into_owned();
        self.read = found.unwrap_or_else(|| panic!("no line with {words:?} behind {} of\n{}", self.read, all()));
    }

    fn send(&mut self, keys: &str) {
        self.terminal.send(keys);
    }
}

#[test]
fn a_day_in_lines() {
    let (mut server, _player) = studio();
    for by_flag in [true, false] {
        let test = screen_in(&server).args(["--device", "mic"]);
        let test = if by_flag { test.arg("--plain") } else { test.env("DICTAPHONE_PLAIN", "1") };
        let folder = test.path("takes");
        // Whoever listens has a terminal of any kind.
        let mut terminal = Terminal::run_sized(&test.env("TERM", "dumb"), 30, 5);
        let mut lines = Lines { terminal: &mut terminal, read: 0 };
        lines.wait_for("48 kHz mono");
        lines.wait_for("no clips yet; r records");
        lines.send("r");
        lines.wait_for("recording 20");
        let part = wait_for_part(&folder);
        wait_for_growth(&part, 96_000);
        lines.send("m");
        lines.wait_for("marker; name:");
        lines.wait_for("marker 1 at ");
        lines.send("budget\r");
        lines.wait_for("budget");
        server.remove_microphone("mic");
        lines.wait_for("NO INPUT");
        lines.wait_for("error: the recording ended by itself at ");
        lines.wait_for("clip 1 of 1: 20");
        server.restore_microphone("mic");
        let _player = speak(&server);
        lines.wait_for("48 kHz mono");
        // Long enough to be put on hold while it is played, also where the machine is busy.
        begin_in(&mut lines, &folder, 500_000);
        lines.send(" ");
        lines.wait_for("recording paused at 00:00:0");
        lines.send(" ");
        lines.wait_for("recording 20");
        lines.send("s");
        lines.wait_for("saved; name: 20");
        lines.send("my talk\r");
        lines.wait_for("renamed to my talk");
        lines.send("j");
        lines.wait_for("clip 2 of 2: 20");
        lines.send("/talk my\r");
        lines.wait_for("clip 1 of 1: my talk");
        lines.send(" ");
        lines.wait_for("playing my talk");
        lines.send(" ");
        lines.wait_for("my talk on hold at ");
        lines.send("d");
        lines.wait_for("my talk is in the trash, u undoes that");
        lines.send("u");
        lines.wait_for("my talk is back");
        lines.send("?");
        lines.wait_for("q: quit; a recording is saved");
        lines.send(keys::ESCAPE);
        lines.wait_for("closed");
        lines.send("q");
        assert_eq!(terminal.wait(), 3, "one take ended early");
        let raw = String::from_utf8(terminal.raw()).unwrap();
        assert_eq!(raw.matches('\u{7}').count(), 1, "the bell rang once");
        let is_line = |c: char| !c.is_control() || matches!(c, '\r' | '\n' | '\u{7}');
        assert!(raw.chars().all(is_line), "no escape sequence: {raw:?}");
        let is_drawn = |c: char| matches!(c, '\u{2500}'..='\u{259f}' | '\u{2800}'..='\u{28ff}');
        assert!(!raw.contains(is_drawn), "no box and no dots: {raw}");
        assert!(!raw.replace("\r\n", "\n").contains('\r'), "no line is written over");
        assert_eq!(names(&folder).len(), 2);
    }
}

/// Records for that many bytes (96,000 are a second).
fn begin_in(lines: &mut Lines<'_>, folder: &Path, bytes: u64) {
    lines.send("r");
    lines.wait_for("recording 20");
    let part = wait_for_part(folder);
    wait_for_growth(&part, bytes);
}
