//! Help, man page and completions.

use crate::support::harness::Test;
use crate::support::process::require;

const COMMANDS: [&str; 12] = [
    "record",
    "play",
    "devices",
    "list",
    "info",
    "levels",
    "rename",
    "delete",
    "convert",
    "recover",
    "completions",
    "man",
];

fn printed(words: &[&str]) -> String {
    let output = Test::new().args(words.iter().copied()).run();
    output.assert_success().assert_stderr("");
    output.stdout()
}

#[test]
fn help_of_every_command_has_examples() {
    let root = printed(&["--help"]);
    assert!(root.contains("Examples:\n  dictaphone "), "{root}");
    for command in COMMANDS {
        assert!(root.contains(&format!("\n  {command} ")), "{command} in {root}");
        let help = printed(&[command, "--help"]);
        assert!(help.contains("Examples:\n  dictaphone "), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
        assert!(printed(&[command, "-h"]).len() <= help.len());
    }
}

#[test]
fn exit_codes_are_listed() {
    for help in [printed(&["--help"]), printed(&["record", "--help"])] {
        let codes = help.split("Exit codes:\n").nth(1).unwrap_or_else(|| panic!("no exit codes in {help}"));
        for code in ["0", "1", "2", "3", "4", "5", "130"] {
            assert!(codes.lines().any(|line| line.split_whitespace().next() == Some(code)), "{code} in {codes}");
        }
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(printed(&["--version"]), concat!("dictaphone ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn the_man_page_is_clean_roff() {
    require(&["groff"]);
    let test = Test::new().program("sh").arg("-c").arg(format!(
        "{} man > page.1 && groff -man -ww -rCHECKSTYLE=3 -Tutf8 -P-cbou page.1 > page.txt",
        env!("CARGO_BIN_EXE_dictaphone")
    ));
    let output = test.run();
    output.assert_success().assert_stderr("");
    let text = std::fs::read_to_string(output.path("page.txt")).unwrap();
    for word in ["RECORD", "DEVICES", "--duration", "--preset", "Exit codes:", "130"] {
        assert!(text.contains(word), "{word} in {text}");
    }
}

#[test]
fn completions_of_every_shell_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&["completions", shell]);
        // Those that ask the program itself name nothing but the program.
        let asks = ["bash", "zsh", "fish"].contains(&shell);
        let words: &[&str] = if asks { &["COMPLETE"] } else { &["record", "devices", "--duration", "preset"] };
        for word in words {
            assert!(script.contains(word), "{word} for {shell}");
        }
    }
}

#[test]
fn bash_takes_its_completions() {
    let program = env!("CARGO_BIN_EXE_dictaphone");
    let script = format!("source <({program} completions bash) && complete -p dictaphone");
    let output = Test::new().program("bash").args(["--norc", "-c", &script]).run();
    output.assert_success().assert_stderr("").assert_stdout_contains("_dictaphone");
}

#[test]
fn a_reader_of_help_may_leave() {
    for words in ["record --help", "man", "completions bash"] {
        let line = format!("set -o pipefail; {} {words} | head -c 1 | wc -c", env!("CARGO_BIN_EXE_dictaphone"));
        let output = Test::new().program("bash").arg("-c").arg(line).run();
        output.assert_success().assert_stdout("1\n").assert_stderr("");
    }
}
