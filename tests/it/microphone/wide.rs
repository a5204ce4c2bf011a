//! Many channels and high rates: several megabytes a second, none of which may accumulate in the server until it drops
//! them.

use std::path::Path;

use super::{play, record};
use crate::support::analysis::analyse;
use crate::support::pulse::PulseServer;
use crate::support::server::{Microphone, Server};
use crate::support::signal::PositionCode;

/// Longer than a recording and what it takes to start it.
const CODE_SECONDS: u64 = 20;

/// Code, the same in every channel.
fn write_wav(path: &Path, channels: u16, sample_rate: u32) {
    let spec = hound::WavSpec { channels, sample_rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    let frames = CODE_SECONDS * u64::from(sample_rate);
    let mut samples = wav.get_i16_writer((frames * u64::from(channels)) as u32);
    for sample in PositionCode::mono().samples(0, frames) {
        (0..channels).for_each(|_| samples.write_sample(sample));
    }
    samples.flush().unwrap();
    wav.finalize().unwrap();
}

fn arrives_whole(channels: u16, rate: u32) {
    let server = PulseServer::start_with(Microphone { channels, rate, format: "s32le", ..Microphone::default() });
    let file = server.runtime().join("code.wav");
    write_wav(&file, channels, rate);
    let _player = play(&server, &file);
    // Without anybody who follows along it is looked for least often.
    let output = record(&server, None).args(["-d", "4s", "-b", "s16", "take.wav"]).run();
    output.assert_success();
    let mut wav = hound::WavReader::open(output.path("take.wav")).unwrap();
    assert_eq!((wav.spec().channels, wav.spec().sample_rate), (channels, rate));
    let samples: Vec<i16> = wav.samples().map(Result::unwrap).collect();
    assert_eq!(samples.len(), usize::from(channels) * rate as usize * 4);
    for channel in [0, usize::from(channels) - 1] {
        let one: Vec<i16> = samples.iter().skip(channel).step_by(channels.into()).copied().collect();
        let report = analyse(&one);
        assert!(report.is_perfect() && report.lead_out == 0, "channel {channel}: {report:?}\n{}", output.context());
    }
}

#[test]
fn thirty_two_channels_of_32_bits_arrive_whole() {
    arrives_whole(32, 48_000);
}

#[test]
fn eight_channels_at_192_khz_arrive_whole() {
    arrives_whole(8, 192_000);
}
