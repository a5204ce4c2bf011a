//! Files of other programs that a repair would harm stay as they are, and what was good in them stays good.

use std::{fs, path::Path};

use dictaphone::{
    ErrorKind,
    audio::{AudioFormat, SampleFormat},
    clips::{Change, Outcome, run},
    format::{self, Delivery, EncoderSettings},
};

/// A whole FLAC file of so many frames.
fn flac(audio: AudioFormat, frames: u32) -> Vec<u8> {
    let settings = EncoderSettings::new(audio, Delivery::File);
    let mut encoder = format::by_name("flac").unwrap().encoder(&settings).unwrap();
    let (mut bytes, channels) = (Vec::new(), u32::from(audio.channels));
    encoder.begin(&mut bytes).unwrap();
    let sound: Vec<f32> = (0..frames * channels).map(|n| ((n as f32) / 30.0).sin() / 2.0).collect();
    encoder.encode(&sound, &mut bytes).unwrap();
    encoder.finish(&mut bytes).unwrap();
    let seal = encoder.seal(bytes.len() as u64);
    crate::takes::sealed(bytes, &seal)
}

const AUDIO: AudioFormat = AudioFormat::new(44_100, 1, SampleFormat::S16);

/// Where the frames begin.
fn frames_at(flac: &[u8]) -> usize {
    let mut at = 4;
    loop {
        let length = u32::from_be_bytes([0, flac[at + 1], flac[at + 2], flac[at + 3]]) as usize;
        let is_last = flac[at] & 0x80 != 0;
        at += 4 + length;
        if is_last {
            return at;
        }
    }
}

/// STREAMINFO is the first block: the frames that it counts become unknown.
fn without_length(mut flac: Vec<u8>) -> Vec<u8> {
    flac[8 + 13] &= 0xf0;
    flac[8 + 14..8 + 18].fill(0);
    flac
}

fn recovered(path: &Path) -> Outcome {
    let mut outcomes = run(&[path.to_owned()], false);
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

#[test]
fn a_file_that_goes_on_in_another_way_is_left_as_it_is_and_what_would_be_lost_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flac");
    let first = flac(AUDIO, 20_000);
    for other in [AudioFormat { sample_rate: 22_050, ..AUDIO }, AudioFormat { channels: 2, ..AUDIO }] {
        let second = flac(other, 22_050);
        let both = without_length([&first[..], &second[frames_at(&second)..]].concat());
        fs::write(&path, &both).unwrap();
        let Outcome::Failed(_, error) = recovered(&path) else { panic!("{other}: it was not refused") };
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        let lost = if other.sample_rate == 22_050 { "1.00 s" } else { "0.50 s" };
        assert!(error.to_string().contains(&format!("is left as it is: {lost} of sound in it")), "{error}");
        assert!(fs::read(&path).unwrap() == both, "{other}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_sum_that_is_right_stays_and_one_that_is_wrong_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flac");
    let whole = flac(AUDIO, 20_000);
    let sum = whole[8 + 18..8 + 34].to_vec();
    assert_ne!(sum, [0; 16]);
    for (cut, is_kept) in [(0, true), (100, false)] {
        fs::write(&path, without_length(whole[..whole.len() - cut].to_vec())).unwrap();
        let Outcome::Recovered(recovered) = recovered(&path) else { panic!() };
        assert_eq!(recovered.change, Change::Repaired);
        let now = fs::read(&path).unwrap();
        assert_eq!(now[8 + 18..8 + 34] == sum[..], is_kept);
        assert_eq!(now[8 + 18..8 + 34] == [0; 16], !is_kept);
        if is_kept {
            assert!(now[8 + 10..] == whole[8 + 10..], "but for the sizes of frames it is the file that it was");
        }
    }
}

#[test]
fn a_tag_behind_the_frames_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flac");
    let tag = [b"TAG".to_vec(), vec![b' '; 125]].concat();
    fs::write(&path, without_length([flac(AUDIO, 20_000), tag.clone()].concat())).unwrap();
    assert!(matches!(recovered(&path), Outcome::Recovered(_)));
    assert!(fs::read(&path).unwrap().ends_with(&tag));
}

#[test]
fn a_format_behind_the_samples_survives_a_broken_end() {
    let folder = tempfile::tempdir().unwrap();
    let sound: Vec<u8> = (0..2_000_u16).flat_map(u16::to_le_bytes).collect();
    let fmt = b"fmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0";
    let bytes = [&b"RIFF\0\0\0\0WAVEdata\xa0\x0f\0\0"[..], &sound, fmt, b"LIST\xff\0\0\0INFOI"].concat();
    for name in [".a.wav.part", "a.wav"] {
        fs::write(folder.path().join(name), &bytes).unwrap();
        let Outcome::Recovered(recovered) = recovered(&folder.path().join(name)) else { panic!() };
        assert_eq!(recovered.frames, Some(2_000));
        assert_eq!(format::open(&recovered.to).unwrap().frames(), Some(2_000));
        let now = fs::read(&recovered.to).unwrap();
        assert!(now[8..] == bytes[8..]);
        fs::remove_file(recovered.to).unwrap();
    }
}
