use std::ops::ControlFlow;

use proptest::prelude::*;

use super::{super::advance::Advance, *};
use crate::{
    audio::{Marker, Metadata, output_frames},
    clips::clip::tests::wav_of,
    format::{by_name, formats},
    storage::memory::{MemoryDisk, Operation},
};

const TARGET: &str = "/out.wav";

fn go_on(_: Advance) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn wav() -> Conversion {
    Conversion::new(by_name("wav").unwrap())
}

/// Noise that is exact in 16 bits.
fn noise(samples: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16 as i16) / 32_768.0
    };
    (0..samples).map(|_| next()).collect()
}

fn opened(bytes: Vec<u8>) -> Box<dyn Decoder> {
    format::from_reader(io::Cursor::new(bytes), "in.wav").unwrap()
}

/// Converts onto a disk in memory.
fn converted(decoder: &mut dyn Decoder, conversion: &Conversion, disk: &MemoryDisk) -> Result<Converted> {
    let target = Path::new(TARGET);
    let mut spool = disk.spool(target).unwrap();
    let source = ClipSource { decoder, name: "in.wav" };
    into_spool(source, &mut spool, target, conversion, Existing::Keep, &mut go_on).map(|(_, converted)| converted)
}

fn result(disk: &MemoryDisk) -> (AudioFormat, Vec<f32>, Metadata) {
    let mut decoder = opened(disk.read(Path::new(TARGET)).unwrap());
    let mut out = Vec::new();
    decoder.read(&mut out, usize::MAX).unwrap();
    (decoder.format(), out, decoder.metadata().clone())
}

#[test]
fn without_a_change_the_file_is_the_same_bit_for_bit() {
    let tags = Metadata { title: Some("t".into()), software: Some("s".into()), ..Metadata::default() };
    for depth in SampleFormat::ALL {
        for channels in [1, 2, 6] {
            let audio = AudioFormat::new(44_100, channels, depth);
            let bytes = wav_of(audio, &noise(30_000), tags.clone());
            let disk = MemoryDisk::new();
            let done = converted(opened(bytes.clone()).as_mut(), &wav(), &disk).unwrap();
            assert!(disk.read(Path::new(TARGET)).unwrap() == bytes, "{audio}");
            assert_eq!((done.audio, done.size_bytes, done.clipped), (audio, bytes.len() as u64, 0));
        }
    }
}

/// Not through floats, which hold 24 bits and have but one NaN.
#[test]
fn samples_that_no_float_holds_pass_as_they_are() {
    for (depth, odd) in [(SampleFormat::S32, 0x1234_5679_u32), (SampleFormat::F32, 0x7fc0_1234)] {
        let audio = AudioFormat::new(8_000, 1, depth);
        let mut bytes = wav_of(audio, &noise(20_000), Metadata::default());
        let end = bytes.len() - 4;
        bytes[end..].copy_from_slice(&odd.to_le_bytes());
        let disk = MemoryDisk::new();
        converted(opened(bytes.clone()).as_mut(), &wav(), &disk).unwrap();
        assert!(disk.read(Path::new(TARGET)).unwrap() == bytes, "{depth}");
        let (raw, disk) = (Conversion::new(by_name("raw").unwrap()), MemoryDisk::new());
        converted(opened(bytes).as_mut(), &raw, &disk).unwrap();
        assert!(disk.read(Path::new(TARGET)).unwrap().ends_with(&odd.to_le_bytes()), "{depth}");
    }
}

#[test]
fn deeper_and_back_is_bit_for_bit() {
    let audio = AudioFormat::new(8_000, 2, SampleFormat::S16);
    let bytes = wav_of(audio, &noise(2_000), Metadata::default());
    for deeper in [SampleFormat::S24, SampleFormat::S32, SampleFormat::F32] {
        let (there, back) = (MemoryDisk::new(), MemoryDisk::new());
        let conversion = Conversion { sample_format: Some(deeper), ..wav() };
        converted(opened(bytes.clone()).as_mut(), &conversion, &there).unwrap();
        let conversion = Conversion { sample_format: Some(SampleFormat::S16), ..wav() };
        let bytes_there = there.read(Path::new(TARGET)).unwrap();
        converted(opened(bytes_there).as_mut(), &conversion, &back).unwrap();
        assert!(back.read(Path::new(TARGET)).unwrap() == bytes, "{deeper}");
    }
}

/// Whatever formats there are.
#[test]
fn every_format_takes_every_clip_at_the_nearest_depth_and_rate_that_it_has() {
    for format in formats() {
        for depth in SampleFormat::ALL {
            for rate in [8_000, 11_025, 44_100, 48_000, 96_000] {
                let from = AudioFormat::new(rate, 2, depth);
                let to = Conversion::new(format).audio(from, None).unwrap();
                assert!(format.supported(to).is_ok(), "{} {to}", format.name);
                let has = |depth| format.supported(AudioFormat { sample_format: depth, ..to }).is_ok();
                assert!(to.sample_format >= from.sample_format || !has(from.sample_format), "{} {to}", format.name);
                let same_rate = AudioFormat { sample_rate: rate, ..to };
                assert!(to.sample_rate == rate || format.supported(same_rate).is_err(), "{} {to}", format.name);
            }
        }
    }
}

#[test]
fn what_was_asked_for_and_is_not_to_be_had_is_an_error() {
    let audio = AudioFormat::new(8_000, 1, SampleFormat::S16);
    for conversion in [
        Conversion { channels: Some(0), ..wav() },
        Conversion { channels: Some(40_000), ..wav() },
        Conversion { sample_rate: Some(0), ..wav() },
    ] {
        let disk = MemoryDisk::new();
        let bytes = wav_of(audio, &noise(10), Metadata::default());
        let error = converted(opened(bytes).as_mut(), &conversion, &disk).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{conversion:?}");
        assert_eq!(disk.paths(), Vec::<PathBuf>::new());
    }
}

#[test]
fn samples_beyond_full_scale_are_counted_where_they_are_cut() {
    let bytes =
        wav_of(AudioFormat::new(8_000, 1, SampleFormat::F32), &[0.5, 1.5, -1.0, -1.01, 1.0, 0.0], Metadata::default());
    for (depth, clipped) in [(SampleFormat::S16, 2), (SampleFormat::S24, 2), (SampleFormat::F32, 0)] {
        let conversion = Conversion { sample_format: Some(depth), ..wav() };
        let done = converted(opened(bytes.clone()).as_mut(), &conversion, &MemoryDisk::new()).unwrap();
        assert_eq!(done.clipped, clipped, "{depth}");
    }
}

fn marked() -> Vec<u8> {
    let tags = Metadata {
        title: Some("title".into()),
        markers: vec![Marker { frame: 40, text: "here".into() }],
        ..Metadata::default()
    };
    wav_of(AudioFormat::new(16_000, 1, SampleFormat::S16), &noise(100), tags)
}

#[test]
fn a_disk_that_is_full_at_any_byte_leaves_nothing_and_says_so() {
    let conversion = Conversion { sample_rate: Some(8_000), channels: Some(2), ..wav() };
    let disk = MemoryDisk::new();
    converted(opened(marked()).as_mut(), &conversion, &disk).unwrap();
    let length = disk.read(Path::new(TARGET)).unwrap().len() as u64;
    for byte in 0..length {
        let disk = MemoryDisk::new();
        disk.fill_at(byte, io::ErrorKind::StorageFull);
        let error = converted(opened(marked()).as_mut(), &conversion, &disk).unwrap_err();
        assert_eq!(error.io_kind(), Some(io::ErrorKind::StorageFull), "byte {byte}");
        assert!(error.to_string().starts_with("cannot write /out.wav: "), "{error}");
        assert_eq!(disk.paths(), Vec::<PathBuf>::new(), "byte {byte}");
    }
}

#[test]
fn whichever_operation_fails_nothing_is_left() {
    let disk = MemoryDisk::new();
    converted(opened(marked()).as_mut(), &wav(), &disk).unwrap();
    let asked = disk.log();
    for operation in [Operation::Append, Operation::Truncate, Operation::Patch, Operation::Commit] {
        let times = asked.iter().filter(|request| request.operation == operation).count() as u64;
        assert!(times > 0, "{operation:?} was never asked for");
        for nth in 1..=times {
            let disk = MemoryDisk::new();
            disk.fail(operation, nth, io::ErrorKind::PermissionDenied);
            let error = converted(opened(marked()).as_mut(), &wav(), &disk).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotAllowed, "{operation:?} {nth}");
            assert_eq!(disk.paths(), Vec::<PathBuf>::new(), "{operation:?} {nth}");
        }
    }
}

/// A clip that cannot be read from some frame on, or that is shorter than its header states.
struct Broken {
    inner: Box<dyn Decoder>,
    whole: u64,
    at: u64,
    fails: bool,
}

impl Decoder for Broken {
    fn container(&self) -> &'static str {
        "wav"
    }
    fn format(&self) -> AudioFormat {
        self.inner.format()
    }
    fn frames(&self) -> Option<u64> {
        self.inner.frames()
    }
    fn read(&mut self, out: &mut Vec<f32>, max_frames: usize) -> Result<usize> {
        let left = usize::try_from(self.whole - self.at).unwrap();
        if left == 0 && self.fails {
            return Err(Error::new(ErrorKind::InvalidData, "bad sector"));
        }
        let frames = self.inner.read(out, left.min(max_frames))?;
        self.at += frames as u64;
        Ok(frames)
    }
    fn seek(&mut self, frame: u64) -> Result<()> {
        self.at = frame;
        self.inner.seek(frame)
    }
    fn metadata(&self) -> &Metadata {
        self.inner.metadata()
    }
}

#[test]
fn a_clip_that_breaks_off_is_an_error_with_the_place_and_nothing_is_left() {
    let bytes = wav_of(AudioFormat::new(8_000, 1, SampleFormat::S16), &noise(40_000), Metadata::default());
    for (fails, cause) in [(true, ": bad sector"), (false, "")] {
        let mut broken = Broken { inner: opened(bytes.clone()), whole: 32_768, at: 0, fails };
        let disk = MemoryDisk::new();
        let error = converted(&mut broken, &wav(), &disk).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(error.to_string(), format!("in.wav breaks off at 4.096 s (frame 32768){cause}"));
        assert_eq!(disk.paths(), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_conversion_can_be_ended_at_any_block_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let [source, target] = ["a.wav", "b.wav"].map(|name| folder.path().join(name));
    let audio = AudioFormat::new(8_000, 1, SampleFormat::S16);
    fs::write(&source, wav_of(audio, &noise(100_000), Metadata::default())).unwrap();
    let mut seen = 0;
    for end in 1.. {
        let mut calls = 0;
        let outcome = convert(&source, &target, &wav(), Existing::Keep, &mut |advance| {
            calls += 1;
            seen = advance.frames;
            assert_eq!(advance.total, Some(100_000));
            if calls == end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let Err(error) = outcome else { break };
        assert_eq!((error.kind(), fs::read_dir(folder.path()).unwrap().count()), (ErrorKind::Abort, 1));
    }
    assert_eq!((seen, fs::read(&target).unwrap()), (100_000, fs::read(&source).unwrap()));
}

#[test]
fn targets_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a.wav"), marked()).unwrap();
    fs::write(at("b.wav"), "old").unwrap();
    fs::create_dir(at("c.wav")).unwrap();
    let names = || {
        let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    for (source, target, existing, kind, word) in [
        ("a.wav", "b.wav", Existing::Keep, ErrorKind::AlreadyExists, "exists"),
        ("a.wav", "a.wav", Existing::Replace, ErrorKind::AlreadyExists, "into itself"),
        ("a.wav", "c.wav", Existing::Replace, ErrorKind::Unknown, "directory"),
        ("a.wav", "b.wav/d.wav", Existing::Replace, ErrorKind::Unknown, "cannot create"),
        ("x.wav", "d.wav", Existing::Keep, ErrorKind::Unknown, "cannot read"),
        ("b.wav", "d.wav", Existing::Keep, ErrorKind::InvalidData, "not a sound file"),
    ] {
        let error = convert(&at(source), &at(target), &wav(), existing, &mut go_on).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(names(), ["a.wav", "b.wav", "c.wav"]);
        assert_eq!(fs::read(at("b.wav")).unwrap(), b"old");
    }
    convert(&at("a.wav"), &at("b.wav"), &wav(), Existing::Replace, &mut go_on).unwrap();
    assert_eq!(fs::read(at("b.wav")).unwrap(), marked());
    convert(&at("a.wav"), &at("new/folder/d.wav"), &wav(), Existing::Keep, &mut go_on).unwrap();
    assert!(at("new/folder/d.wav").exists());
    let (numbered, _) = convert(&at("a.wav"), &at("a.wav"), &wav(), Existing::Number, &mut go_on).unwrap();
    assert_eq!((numbered, fs::read(at("a.wav")).unwrap()), (at("a-2.wav"), marked()));
}

#[test]
fn a_stream_has_the_same_samples_and_needs_no_patching() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("a.wav");
    fs::write(&source, marked()).unwrap();
    let raw = Conversion::new(by_name("raw").unwrap());
    let (mut pcm, mut stream) = (Vec::new(), Vec::new());
    let done = convert_to_stream(&source, &mut pcm, "pipe", &raw, &mut go_on).unwrap();
    assert_eq!((done.frames, done.size_bytes, pcm.len()), (100, 200, 200));
    convert_to_stream(&source, &mut stream, "pipe", &wav(), &mut go_on).unwrap();
    assert!(stream.ends_with(&pcm));
    assert_eq!(stream[4..8], [0xff; 4]);
    let error = convert_to_stream(&source, &mut [0; 50].as_mut_slice(), "pipe", &raw, &mut go_on).unwrap_err();
    assert_eq!(error.io_kind(), Some(io::ErrorKind::WriteZero));
    assert!(error.to_string().starts_with("cannot write pipe: "), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn frames_and_markers_keep_their_time(
        frames in 0..50_000_u64,
        (from, to) in prop::sample::select(vec![
            (48_000, 16_000), (44_100, 48_000), (48_000, 44_100), (8_000, 48_000), (16_000, 16_000), (96_000, 8_000),
        ]),
        channels in 1..4_u16,
        mixed in 1..4_u16,
        markers in prop::collection::vec(0..50_000_u64, 0..5),
    ) {
        let mut markers: Vec<Marker> = markers.into_iter().map(|at| Marker { frame: at.min(frames), text: at.to_string() }).collect();
        markers.sort_by_key(|marker| marker.frame);
        let tags = Metadata { markers: markers.clone(), ..Metadata::default() };
        let audio = AudioFormat::new(from, channels, SampleFormat::S16);
        let samples = noise(usize::try_from(frames).unwrap() * usize::from(channels));
        // Reducing the channels, except to one, needs a map.
        let map = (mixed > 1 && mixed < channels).then(|| "2,3".parse().unwrap());
        let conversion = Conversion { sample_rate: Some(to), map, channels: Some(mixed), ..wav() };
        let disk = MemoryDisk::new();
        let done = converted(opened(wav_of(audio, &samples, tags)).as_mut(), &conversion, &disk).unwrap();
        let (format, out, tags) = result(&disk);
        prop_assert_eq!(format, AudioFormat::new(to, mixed, SampleFormat::S16));
        prop_assert_eq!(done.frames, output_frames(frames, from, to));
        prop_assert_eq!(out.len() as u64, done.frames * u64::from(mixed));
        for marker in &mut markers {
            marker.frame = output_frames(marker.frame, from, to);
        }
        prop_assert_eq!(tags.markers, markers);
    }
}

/// The format that only the tests have: a folder and a row, and nothing else in the library names it.
#[test]
fn a_format_that_only_its_folder_and_its_row_know_is_converted_listed_read_and_recovered() {
    use crate::{
        clips::{Info, Listing, SortKey, run},
        format::mime,
    };
    assert!(mime::is_type_supported("audio/x-plain;codecs=plain") && !mime::is_type_supported("audio/x-plainer"));
    let folder = tempfile::tempdir().unwrap();
    let (sound, path) = (noise(8_000), folder.path().join("a.plain"));
    fs::write(
        folder.path().join("a.wav"),
        wav_of(AudioFormat::new(8_000, 1, SampleFormat::S16), &sound, Metadata::default()),
    )
    .unwrap();
    let to = |name: &str| Conversion::new(by_name(name).unwrap());
    convert(&folder.path().join("a.wav"), &path, &to("plain"), Existing::Keep, &mut go_on).unwrap();
    convert(&path, &folder.path().join("b.wav"), &to("wav"), Existing::Keep, &mut go_on).unwrap();
    let mut back = Vec::new();
    format::open(&folder.path().join("b.wav")).unwrap().read(&mut back, usize::MAX).unwrap();
    assert!(back == sound);
    let mut cut = fs::read(&path).unwrap();
    cut.pop();
    fs::write(folder.path().join(".c.plain.part"), cut).unwrap();
    assert_eq!(run(&[folder.path().to_owned()], false).len(), 1);
    let mut listing = Listing::read(folder.path()).unwrap();
    listing.sort(SortKey::Name, false);
    let listed = |clip: &crate::clips::Clip| (clip.name.clone(), clip.format.clone().unwrap_or_default(), clip.frames);
    let found: Vec<_> = listing.clips.iter().map(listed).filter(|(_, format, _)| format == "plain").collect();
    assert_eq!(found, [("a".into(), "plain".into(), Some(8_000)), ("c".into(), "plain".into(), Some(7_999))]);
    let info = Info::read(&path, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((info.clip.mime_type.as_deref(), info.clip.error), (Some("audio/x-plain;codecs=plain"), None));
    assert!(info.peak_dbfs.is_some());
}
