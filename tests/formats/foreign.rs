//! Files that `flac`, `opusenc`, `sox` and `ffmpeg` have written, and damage that they may suffer on their way here.

use dictaphone::{ErrorKind, audio::SampleFormat, format};

use crate::takes::*;

/// A WAV file of numbers, as input for other programs.
fn wav(numbers: &[i32], rate: u32, channels: u16, bits: u16) -> Vec<u8> {
    let data = raw(numbers, bits);
    let align = channels * bits / 8;
    let size = |size: usize| u32::try_from(size).unwrap().to_le_bytes();
    [
        b"RIFF",
        &size(36 + data.len())[..],
        b"WAVEfmt \x10\0\0\0\x01\0",
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &(rate * u32::from(align)).to_le_bytes(),
        &align.to_le_bytes(),
        &bits.to_le_bytes(),
        b"data",
        &size(data.len()),
        &data,
    ]
    .concat()
}

#[test]
fn every_way_in_which_flac_and_ffmpeg_write_is_read_bit_for_bit() {
    for (channels, bits, rate) in [(1, 16, 44_100), (2, 16, 48_000), (2, 24, 96_000), (6, 16, 48_000), (1, 8, 8_000)] {
        let numbers = numbers(30_000, channels, bits);
        let bench = Bench::new();
        // WAV counts 8 bits from 0 to 255.
        let shift = if bits == 8 { 128 } else { 0 };
        let shifted: Vec<i32> = numbers.iter().map(|number| number + shift).collect();
        bench.put("x.wav", &wav(&shifted, rate, channels, bits));
        let expected = samples_of(&numbers, bits);
        let mut lines = vec![
            "flac --silent --channel-map=none -0 -f x.wav -o x.flac",
            "flac --silent --channel-map=none -8 -p -e -f x.wav -o x.flac",
            "flac --silent --channel-map=none --lax -b 16 -f x.wav -o x.flac",
            "flac --silent --channel-map=none --lax -b 65535 -l 32 -r 15 -f x.wav -o x.flac",
            "flac --silent --channel-map=none --no-padding --no-seektable -f x.wav -o x.flac",
        ];
        if bits != 8 {
            lines.push("ffmpeg -v error -y -i x.wav -compression_level 12 x.flac");
            lines.push("sox -D x.wav x.flac");
        }
        for line in lines {
            bench.run(line);
            let bytes = bench.read("x.flac");
            let decoder = opened(&bytes);
            let format = decoder.format();
            assert_eq!((format.sample_rate, format.channels), (rate, channels), "{line}");
            assert_eq!(format.sample_format, if bits > 16 { SampleFormat::S24 } else { SampleFormat::S16 });
            assert_eq!(decoder.frames(), Some(30_000), "{line}");
            assert!(all_samples(&bytes) == expected, "{line} of {channels} × {bits} bits");
        }
        // Through a pipe nobody can say how long it is.
        let streamed = bench.feed("flac --silent --channel-map=none --stdout -", &bench.read("x.wav"));
        assert!(all_samples(&streamed) == expected);
    }
}

#[test]
fn what_opusenc_and_ffmpeg_write_is_read_with_its_length_and_tags() {
    let bench = Bench::new();
    for (channels, rate) in [(1, 48_000), (2, 44_100), (1, 16_000)] {
        let numbers = numbers(rate as usize * 3, channels, 16);
        bench.put("x.wav", &wav(&numbers, rate, channels, 16));
        for line in [
            "opusenc --quiet --title Titel --comment CHAPTER001=00:00:01.000 --comment CHAPTER001NAME=eins x.wav x.opus",
            "opusenc --quiet --title Titel --framesize 60 --max-delay 1000 --bitrate 500 x.wav x.opus",
            "opusenc --quiet --title Titel --framesize 2.5 --hard-cbr --speech x.wav x.opus",
            "ffmpeg -v error -y -i x.wav -c:a libopus -metadata title=Titel x.opus",
        ] {
            bench.run(line);
            let bytes = bench.read("x.opus");
            let decoder = opened(&bytes);
            assert_eq!((decoder.format().sample_rate, decoder.format().channels), (48_000, channels), "{line}");
            let frames = decoder.frames().unwrap();
            assert!(frames.abs_diff(144_000) < 400, "{frames} frames: {line}");
            assert_eq!(all_samples(&bytes).len() as u64, frames * u64::from(channels), "{line}");
            assert_eq!(decoder.metadata().title.as_deref(), Some("Titel"), "{line}");
            let heard = bench.feed("opusdec --quiet --rate 48000 --no-dither --force-wav - -", &bytes);
            assert_eq!((heard.len() as u64 - 44) / 2 / u64::from(channels), frames, "{line}");
            if line.contains("CHAPTER") {
                assert_eq!(decoder.metadata().markers[0].frame, 48_000);
            }
        }
    }
}

#[test]
fn streams_behind_each_other_are_one_recording() {
    let bench = Bench::new();
    let mut chained = Vec::new();
    for (seconds, channels) in [(1, 2), (2, 1), (1, 2)] {
        bench.put("x.wav", &wav(&numbers(48_000 * seconds, channels, 16), 48_000, channels, 16));
        bench.run("opusenc --quiet x.wav x.opus");
        chained.extend(bench.read("x.opus"));
    }
    let mut decoder = opened(&chained);
    assert_eq!((decoder.frames(), decoder.format().channels), (Some(4 * 48_000), 2));
    let whole = samples(decoder.as_mut());
    assert_eq!(whole.len(), 2 * 4 * 48_000);
    for frame in [0, 47_999, 48_000, 100_000, 144_000, 191_999, 192_000, u64::MAX] {
        decoder.seek(frame).unwrap();
        assert_eq!(samples(decoder.as_mut()).len() as u64, 2 * 192_000_u64.saturating_sub(frame), "from {frame}");
    }
}

#[test]
fn an_id3_tag_in_front_and_behind_is_stepped_over() {
    let bench = Bench::new();
    let numbers = numbers(20_000, 1, 16);
    bench.put("x.wav", &wav(&numbers, 48_000, 1, 16)).run("flac --silent x.wav -o x.flac");
    for flags in [0, 0x10] {
        let footer = if flags == 0 { 0 } else { 10 };
        let tag = [b"ID3\x04\0", &[flags, 0, 0, 2, 1][..], &vec![0xff; 257 + footer]].concat();
        let behind = [&b"TAG"[..], &[b'x'; 125]].concat();
        let bytes = [tag, bench.read("x.flac"), behind].concat();
        let mut decoder = opened(&bytes);
        assert_eq!(decoder.frames(), Some(20_000));
        assert!(samples(decoder.as_mut()) == samples_of(&numbers, 16));
    }
}

#[test]
fn what_is_not_read_is_named_for_what_it_is() {
    let bench = Bench::new();
    bench.put("x.wav", &wav(&numbers(48_000, 2, 16), 48_000, 2, 16));
    for (file, line, what) in [
        ("x.spx", "ffmpeg -v error -y -i x.wav -ar 16000 -ac 1 -c:a libspeex x.spx", "Speex"),
        ("x.wma", "ffmpeg -v error -y -i x.wav -c:a wmav2 x.wma", "WMA"),
        ("x.wv", "ffmpeg -v error -y -i x.wav x.wv", "WavPack"),
        ("x.mka", "ffmpeg -v error -y -i x.wav -c:a libopus x.mka", "Matroska"),
        ("x.mp4", "ffmpeg -v error -y -i x.wav -c:a libopus x.mp4", "Opus"),
        ("x.gsm.wav", "sox x.wav -r 8000 -c 1 -e gsm-full-rate x.gsm.wav", "GSM 6.10"),
        ("six.opus", "ffmpeg -v error -y -i x.wav -ac 6 -c:a libopus -mapping_family 1 six.opus", "6 channels"),
    ] {
        bench.run(line);
        let error = format::open(&bench.path(file)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Undecodable, "{error}");
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(error.file(), bench.path(file).to_str());
    }
}

#[test]
fn sound_among_other_streams_is_found() {
    let bench = Bench::new();
    bench.put("x.wav", &wav(&numbers(96_000, 1, 16), 48_000, 1, 16));
    bench.run("ffmpeg -v error -y -f lavfi -i testsrc=size=64x48:rate=10:duration=2 -i x.wav -c:v libtheora -c:a libopus x.ogv");
    let bytes = bench.read("x.ogv");
    let decoder = opened(&bytes);
    let frames = decoder.frames().unwrap();
    assert!(frames.abs_diff(96_000) < 1_000, "{frames}");
    assert_eq!(all_samples(&bytes).len() as u64, frames);
}

#[test]
fn damage_in_the_middle_is_silence_of_its_length() {
    let sound = samples_of(&numbers(240_000, 1, 16), 16);
    for name in ["flac", "opus"] {
        let settings = settings(OPUS, dictaphone::format::Delivery::File);
        let whole = take(name, &settings, &sound, Default::default());
        let before = all_samples(&whole);
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 2_000].fill(0x55);
        let after = all_samples(&damaged);
        assert_eq!(after.len(), before.len(), "{name}");
        let differs = |n: &usize| before[*n] != after[*n];
        let (first, last) = ((0..after.len()).find(differs).unwrap(), (0..after.len()).rfind(differs).unwrap());
        assert!(first > 60_000 && (name == "opus" || last < 180_000), "{name}: {first} to {last}");
        assert!(after[first + 5_000..first + 5_100].iter().any(|&sample| sample != 0.0) || name == "opus");
        let silent = after.windows(400).filter(|window| window.iter().all(|&sample| sample == 0.0)).count();
        assert!(silent > 1_000, "{name}: {silent}");
        // What is missing altogether leaves the same hole, where the number of what follows tells.
        let cut = [&whole[..middle], &whole[middle + 3_000..]].concat();
        assert_eq!(all_samples(&cut).len(), before.len(), "{name}");
    }
}

#[test]
fn a_page_of_ogg_that_is_damaged_or_missing_is_silence_of_its_length() {
    let bench = Bench::new();
    bench.put("x.wav", &wav(&numbers(240_000, 1, 16), 48_000, 1, 16));
    for (name, line, settles) in [
        ("x.oga", "ffmpeg -v error -y -i x.wav -c:a flac -page_duration 200000 -f ogg x.oga", 0),
        ("x.ogg", "ffmpeg -v error -y -i x.wav -c:a libvorbis -page_duration 200000 x.ogg", 4_096),
    ] {
        bench.run(line);
        let whole = bench.read(name);
        let before = all_samples(&whole);
        assert!(opened(&whole).damage().is_none(), "{name}");
        let mut pages: Vec<usize> = (0..whole.len()).filter(|&at| whole[at..].starts_with(b"OggS\0")).collect();
        let first = pages.iter().position(|&at| whole[at + 6..at + 14] != [0; 8]).unwrap();
        pages.push(whole.len());
        assert!(pages.len() > first + 6, "{name}: {pages:?}");
        for page in first..pages.len() - 2 {
            let (from, to) = (pages[page], pages[page + 1]);
            let mut damaged = whole.clone();
            damaged[to - 9] ^= 0x55;
            let missing = [&whole[..from], &whole[to..]].concat();
            // Without its first page a stream may have begun anywhere.
            let cases = if page > first { vec![damaged, missing] } else { vec![damaged] };
            for bytes in cases {
                let mut decoder = opened(&bytes);
                let after = samples(decoder.as_mut());
                let damage = decoder.damage();
                assert_eq!(after.len(), before.len(), "{name}, page {page}");
                let [gap] = damage.gaps() else { panic!("{name}, page {page}: {damage:?}") };
                assert!((1..60_000).contains(&gap.frames), "{name}, page {page}: {damage:?}");
                let (begins, ends) = (gap.at as usize, (gap.at + gap.frames) as usize);
                let same = |n: usize| (after[n] - before[n]).abs() < 1e-4;
                let moved = (0..begins.saturating_sub(settles)).chain(ends + settles..after.len()).find(|&n| !same(n));
                assert_eq!(moved, None, "{name}, page {page}: {damage:?}");
                // From its middle on as well.
                let from = (ends + 9_000).min(after.len());
                decoder.seek(from as u64).unwrap();
                assert!(samples(decoder.as_mut()) == after[from..], "{name}, page {page}");
            }
        }
        let last = pages[pages.len() - 2];
        for bytes in [&whole[..whole.len() - 1], &whole[..last], &whole[..whole.len() * 2 / 3]] {
            let mut decoder = opened(bytes);
            samples(decoder.as_mut());
            assert!(decoder.damage().sentence(48_000).is_some(), "{name}, {} of {}", bytes.len(), whole.len());
        }
    }
}
