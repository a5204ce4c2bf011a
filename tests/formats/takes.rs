//! Recordings of any format in memory, and other people's programs that read and write them.

use std::{
    io::{Cursor, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

use dictaphone::{
    audio::{AudioFormat, Marker, Metadata, SampleFormat},
    format::{self, Decoder, Delivery, Encoder, EncoderSettings, Seal},
};

pub(crate) const OPUS: AudioFormat = AudioFormat::new(48_000, 1, SampleFormat::S16);

pub(crate) fn settings(audio: AudioFormat, delivery: Delivery) -> EncoderSettings {
    EncoderSettings::new(audio, delivery)
}

/// Numbers of `bits` bits that neither repeat soon nor compress to nothing.
pub(crate) fn numbers(frames: usize, channels: u16, bits: u16) -> Vec<i32> {
    let mut state = 1_u32;
    let mut number = |at: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let tone = ((at as f32) * 0.1).sin() * 0.6;
        let noise = state as f32 / u32::MAX as f32 - 0.5;
        ((tone + noise * 0.05) * (1_u32 << (bits - 1)) as f32) as i32
    };
    (0..frames * usize::from(channels)).map(|at| number(at / usize::from(channels))).collect()
}

pub(crate) fn samples_of(numbers: &[i32], bits: u16) -> Vec<f32> {
    let scale = (1_u32 << (bits - 1)) as f32;
    numbers.iter().map(|&number| number as f32 / scale).collect()
}

/// Little-endian bytes of each number, as `flac --force-raw-format` and `wc` know them.
pub(crate) fn raw(numbers: &[i32], bits: u16) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes().into_iter().take(usize::from(bits / 8))).collect()
}

/// Everything that the encoder appends for `samples` given in pieces, never sealed, and the encoder.
pub(crate) fn unsealed(name: &str, settings: &EncoderSettings, samples: &[f32]) -> (Vec<u8>, Box<dyn Encoder>) {
    let mut encoder = format::by_name(name).unwrap().encoder(settings).unwrap();
    let mut out = Vec::new();
    encoder.begin(&mut out).unwrap();
    for piece in samples.chunks(777 * usize::from(settings.audio.channels)) {
        encoder.encode(piece, &mut out).unwrap();
    }
    (out, encoder)
}

/// A whole recording with `metadata` that became known at the end.
pub(crate) fn take(name: &str, settings: &EncoderSettings, samples: &[f32], metadata: Metadata) -> Vec<u8> {
    let (mut bytes, mut encoder) = unsealed(name, settings, samples);
    encoder.set_metadata(metadata);
    encoder.finish(&mut bytes).unwrap();
    let seal = encoder.seal(bytes.len() as u64);
    sealed(bytes, &seal)
}

/// `bytes` after `seal` was carried out.
pub(crate) fn sealed(mut bytes: Vec<u8>, seal: &Seal) -> Vec<u8> {
    bytes.truncate(usize::try_from(seal.length).unwrap());
    for patch in &seal.patches {
        let at = usize::try_from(patch.at).unwrap();
        bytes[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    bytes
}

pub(crate) fn tags() -> Metadata {
    let marker = |frame, text: &str| Marker { frame, text: text.into() };
    let mut tags = Metadata::default()
        .title(Some("Gespräch mit Anna".into()))
        .date(Some("2026-11-20T14:05:09+01:00".into()))
        .software(Some("dictaphone 9".into()))
        .device(Some("USB Microphone".into()))
        .comment(None)
        .markers(vec![marker(48, "now"), marker(4_800, ""), marker(9_600, "später=1")]);
    tags.note_lost_frames(480);
    tags
}

pub(crate) fn opened(bytes: &[u8]) -> Box<dyn Decoder> {
    format::from_reader(Cursor::new(bytes.to_vec()), "test").unwrap()
}

pub(crate) fn samples(decoder: &mut dyn Decoder) -> Vec<f32> {
    let mut out = Vec::new();
    decoder.read(&mut out, usize::MAX).unwrap();
    out
}

pub(crate) fn all_samples(bytes: &[u8]) -> Vec<f32> {
    samples(opened(bytes).as_mut())
}

/// A folder of its own with files in it, and programs that work there.
pub(crate) struct Bench(tempfile::TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> &Self {
        std::fs::write(self.path(name), bytes).unwrap();
        self
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Runs `line`, which must succeed; what it prints.
    #[track_caller]
    pub(crate) fn run(&self, line: &str) -> String {
        String::from_utf8_lossy(&self.feed(line, b"")).into_owned()
    }

    /// Runs `line` with `input` on its standard input; what it writes.
    #[track_caller]
    pub(crate) fn feed(&self, line: &str, input: &[u8]) -> Vec<u8> {
        let mut words = line.split_whitespace();
        let program = words.next().unwrap();
        let mut command = Command::new(program);
        command.args(words).current_dir(self.0.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn();
        let mut child = child.unwrap_or_else(|error| {
            panic!("{program}: {error}; `apt-get install flac opus-tools ffmpeg sox` installs what is missing")
        });
        let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
        // A reader may leave early.
        let feeding = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        feeding.join().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Rate, channels and length of a file, as ffprobe sees them: `48000,1,0.100000`.
    #[track_caller]
    pub(crate) fn probe(&self, name: &str) -> String {
        let entries = "stream=sample_rate,channels:format=duration";
        self.run(&format!("ffprobe -v error -of csv=p=0 -show_entries {entries} {name}")).trim().replace('\n', ",")
    }
}
