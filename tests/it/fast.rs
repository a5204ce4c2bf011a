//! Sources that run as fast as they can be encoded: they wait for their reader, and lose nothing.

use std::io::Read;

use crate::support::harness::Test;

fn noise() -> Test {
    Test::new().args(["record", "-i", "noise", "--fast", "-d", "10m", "-r", "8000", "-c", "1", "-f", "raw"])
}

/// Processor time that the program has used, in ticks.
fn ticks(id: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    // The name in parentheses may hold anything; user and system time are the 14th and 15th field.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum()
}

#[test]
fn a_reader_who_comes_late_gets_every_sample() {
    let expected = noise().arg("noise.raw").run();
    let expected = std::fs::read(expected.assert_success().path("noise.raw")).unwrap();
    assert_eq!(expected.len(), 10 * 60 * 8_000 * 2);

    let mut running = noise().arg("-").hold_stdout().spawn();
    let mut stdout = running.stdout.take().unwrap();
    let mut audio = vec![0; 1];
    stdout.read_exact(&mut audio).unwrap();
    // Nobody reads on until the program has nothing left to do but to wait.
    let (mut used, mut same) = (0, 0);
    crate::support::wait::until("the program waits for its reader", String::new, || {
        let now = ticks(running.id());
        same = if now == used { same + 1 } else { 0 };
        used = now;
        (same == 50).then_some(())
    });
    assert!(running.is_running());
    stdout.read_to_end(&mut audio).unwrap();
    let output = running.wait();
    output.assert_success();
    assert!(audio == expected, "{} bytes of {}\n{}", audio.len(), expected.len(), output.context());
}
