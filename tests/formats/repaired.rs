//! Recordings that were cut off anywhere become whole, and whole ones stay as they are.

use std::io::Cursor;

use dictaphone::{
    audio::Metadata,
    format::{self, Delivery, Origin, Repair},
};

use crate::takes::*;

const ORIGINS: [Origin; 2] = [Origin::Part, Origin::Named];

fn examined(bytes: &[u8], origin: Origin) -> Repair {
    format::examine(&mut Cursor::new(bytes), "test", None, origin).unwrap()
}

/// The repaired file. Repairing it once more must change nothing.
fn repaired(bytes: &[u8], origin: Origin) -> Vec<u8> {
    let fixed = sealed(bytes.to_vec(), &examined(bytes, origin).seal);
    for origin in ORIGINS {
        assert!(examined(&fixed, origin).is_whole(), "a repaired file needs another repair as {origin:?}");
    }
    fixed
}

/// Cuts of a file: the first bytes, some in the middle, the last ones.
fn cuts(len: usize, step: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by(step).chain(len.saturating_sub(40)..=len)
}

#[test]
fn a_flac_recording_that_was_cut_off_anywhere_keeps_its_whole_blocks() {
    let numbers = numbers(30_000, 1, 16);
    let (bytes, _) = unsealed("flac", &settings(OPUS, Delivery::File), &samples_of(&numbers, 16));
    let header = 4 + 38 + 8_192;
    let bench = Bench::new();
    for cut in cuts(bytes.len(), 977).filter(|&cut| cut >= header) {
        for origin in ORIGINS {
            let repair = examined(&bytes[..cut], origin);
            let fixed = repaired(&bytes[..cut], origin);
            let frames = usize::try_from(repair.frames.unwrap()).unwrap();
            assert_eq!((repair.container, frames % 4_096), ("flac", 0));
            assert!(all_samples(&fixed) == samples_of(&numbers[..frames], 16), "cut at {cut}");
            assert_eq!(opened(&fixed).frames(), repair.frames);
            assert!(repair.len - repair.seal.length < 9_000, "less than a block is cut off");
            if cut % 3 == 0 && frames > 0 {
                bench.put("x.flac", &fixed).run("flac --silent --test x.flac");
                assert_eq!(bench.run("soxi -s x.flac").trim(), frames.to_string());
            }
        }
    }
}

#[test]
fn an_opus_recording_that_was_cut_off_anywhere_keeps_its_whole_pages() {
    let sound = samples_of(&numbers(200_000, 2, 16), 16);
    let audio = dictaphone::audio::AudioFormat { channels: 2, ..OPUS };
    let (bytes, _) = unsealed("opus", &settings(audio, Delivery::File), &sound);
    let whole = all_samples(&bytes);
    let bench = Bench::new();
    for cut in cuts(bytes.len(), 1_777).filter(|&cut| cut > 4_300) {
        for origin in ORIGINS {
            let repair = examined(&bytes[..cut], origin);
            let fixed = repaired(&bytes[..cut], origin);
            let frames = usize::try_from(repair.frames.unwrap()).unwrap();
            assert_eq!(repair.container, "opus");
            let found = all_samples(&fixed);
            assert_eq!((found.len(), opened(&fixed).frames()), (frames * 2, repair.frames), "cut at {cut}");
            assert!(found == whole[..found.len()], "cut at {cut}");
            if cut % 3 == 0 && frames > 0 {
                let heard = bench.feed("opusdec --quiet --force-wav - -", &fixed);
                assert_eq!((heard.len() - 44) / 4, frames, "cut at {cut}");
            }
        }
    }
    let all = examined(&bytes, Origin::Part).frames.unwrap();
    assert!(all + 96_000 > 200_000, "at most two seconds are missing: {all}");
}

#[test]
fn whole_files_of_every_writer_stay_as_they_are() {
    let bench = Bench::new();
    let sound = samples_of(&numbers(100_000, 1, 16), 16);
    for name in ["flac", "opus"] {
        let ours = take(name, &settings(OPUS, Delivery::File), &sound, tags());
        for origin in ORIGINS {
            assert!(examined(&ours, origin).is_whole(), "{name}");
        }
        assert_eq!(examined(&ours, Origin::Part).frames, Some(100_000));
        // What another program has put behind it.
        let tagged = [&ours[..], b"TAG", &[b'x'; 125]].concat();
        assert!(examined(&tagged, Origin::Named).is_whole(), "{name}");
    }
    bench.put("x.flac", &take("flac", &settings(OPUS, Delivery::File), &sound, tags()));
    for line in [
        "flac --silent -f x.flac -o y.flac",
        "ffmpeg -v error -y -i x.flac y.flac",
        "opusenc --quiet x.flac y.opus",
        "ffmpeg -v error -y -i x.flac -c:a libopus y.opus",
        "ffmpeg -v error -y -f lavfi -i testsrc=size=64x48:rate=10:duration=1 -i x.flac -c:v libtheora -c:a libopus y.opus",
    ] {
        bench.run(line);
        let bytes = bench.read(line.rsplit(' ').next().unwrap());
        assert!(examined(&bytes, Origin::Named).is_whole(), "{line}");
    }
}

#[test]
fn what_other_recorders_leave_when_they_are_killed_is_repaired() {
    let bench = Bench::new();
    let numbers = numbers(100_000, 1, 16);
    bench.put("x.flac", &take("flac", &settings(OPUS, Delivery::File), &samples_of(&numbers, 16), Metadata::default()));
    // To a pipe ffmpeg cannot write what it writes at the end.
    let flac = bench.feed("ffmpeg -v error -i x.flac -f flac -", b"");
    let opus = bench.feed("ffmpeg -v error -i x.flac -c:a libopus -f ogg -", b"");
    for cut in [1, 500, 5_000] {
        let fixed = repaired(&flac[..flac.len() - cut], Origin::Named);
        let found = all_samples(&fixed);
        assert!(found.len() > 80_000 && found == samples_of(&numbers[..found.len()], 16));
        bench.put("y.flac", &fixed).run("flac --silent --test y.flac");
        assert_eq!(bench.run("soxi -s y.flac").trim(), found.len().to_string());
        let fixed = repaired(&opus[..opus.len() - cut], Origin::Named);
        let heard = bench.feed("opusdec --quiet --force-wav - -", &fixed);
        assert_eq!((heard.len() - 44) / 2, all_samples(&fixed).len());
        assert!(all_samples(&fixed).len() > 40_000);
    }
}
