//! What the library (symphonia) reads for this program, compared with ffmpeg: as many frames, the same samples, and the
//! same ones after a seek.

use dictaphone::format;

use crate::takes::*;

/// How ffmpeg writes a file, and how far a sample may be from what it reads itself, in 1/32768.
const WRITTEN: [(&str, &str, f32); 21] = [
    ("a.mp3", "-c:a libmp3lame", 1.5),
    ("v.mp3", "-c:a libmp3lame -q:a 4", 1.5),
    ("bare.mp3", "-c:a libmp3lame -write_xing 0 -id3v2_version 0", 1.5),
    ("a.mp2", "-c:a mp2", 1.5),
    ("a.m4a", "-c:a aac -aac_pns 0", 2.0),
    ("a.aac", "-c:a aac -aac_pns 0", 2.0),
    ("a.ogg", "-c:a libvorbis", 1.5),
    ("f.ogg", "-c:a flac", 0.0),
    ("l.m4a", "-c:a alac", 0.0),
    ("l.caf", "-c:a alac", 0.0),
    ("a.caf", "-c:a pcm_s16le", 0.0),
    ("b.caf", "-c:a pcm_s16be", 0.0),
    ("a.aiff", "-c:a pcm_s16be", 0.0),
    ("d.aiff", "-c:a pcm_s24be", 0.0),
    ("al.wav", "-c:a pcm_alaw", 0.0),
    ("mu.wav", "-c:a pcm_mulaw", 0.0),
    ("ms.wav", "-c:a adpcm_ms", 1.0),
    ("ima.wav", "-c:a adpcm_ima_wav", 1.0),
    ("d.wav", "-c:a pcm_f64le", 0.0),
    ("u.wav", "-c:a pcm_u8", 0.0),
    ("x.rf64", "-c:a pcm_s16le -f wav -rf64 always", 0.0),
];

/// As ffmpeg reads it.
fn expected(bench: &Bench, file: &str) -> Vec<f32> {
    bench.run(&format!("ffmpeg -v error -y -i {file} -c:a pcm_s16le -f s16le out.raw"));
    bench.read("out.raw").as_chunks().0.iter().map(|&bytes| f32::from(i16::from_le_bytes(bytes)) / 32_768.0).collect()
}

#[test]
fn every_foreign_format_is_read_as_ffmpeg_reads_it_and_sought_to_the_frame() {
    let bench = Bench::new();
    // Noise would be made anew by a decoder of AAC, which stores only how loud it is.
    bench.run("ffmpeg -v error -y -f lavfi -i sine=frequency=440:sample_rate=44100:duration=5.3 -ac 2 x.wav");
    for (file, options, tolerance) in WRITTEN {
        bench.run(&format!("ffmpeg -v error -y -i x.wav {options} {file}"));
        let expected = expected(&bench, file);
        let mut decoder = format::open(&bench.path(file)).unwrap();
        assert_eq!((decoder.format().sample_rate, decoder.format().channels), (44_100, 2), "{file}");
        assert_eq!(decoder.frames(), Some(expected.len() as u64 / 2), "{file}");
        let whole = samples(decoder.as_mut());
        assert_eq!(whole.len(), expected.len(), "{file}");
        let off = |(ours, theirs): (&f32, &f32)| (ours - theirs).abs() * 32_768.0;
        let worst = whole.iter().zip(&expected).map(off).fold(0.0, f32::max);
        assert!(worst <= tolerance + 0.5, "{file}: {worst}");
        assert!(decoder.damage().is_none(), "{file}: {:?}", decoder.damage());
        for frame in [0, 1, 1_000, 50_000, 200_001, expected.len() / 2 - 1, expected.len() / 2, usize::MAX] {
            decoder.seek(frame as u64).unwrap();
            let mut rest = Vec::new();
            decoder.read(&mut rest, 500).unwrap();
            let there = whole.get(frame.saturating_mul(2)..).unwrap_or_default();
            let there = there.get(..1_000).unwrap_or(there);
            let worst = rest.iter().zip(there).map(off).fold(0.0, f32::max);
            assert!(rest.len() == there.len() && worst <= 1.0, "{file} from {frame}: {worst}, {} samples", rest.len());
        }
    }
}

#[test]
fn vorbis_streams_behind_each_other_are_one_recording_and_another_rate_is_refused() {
    let bench = Bench::new();
    for (seconds, rate) in [(1, 44_100), (2, 44_100), (1, 22_050)] {
        let from = format!("sine=frequency=440:sample_rate={rate}:duration={seconds}");
        bench.run(&format!("ffmpeg -v error -y -f lavfi -i {from} -c:a libvorbis {seconds}-{rate}.ogg"));
    }
    let (one, two, other) = (bench.read("1-44100.ogg"), bench.read("2-44100.ogg"), bench.read("1-22050.ogg"));
    let chained = [&one[..], &two].concat();
    assert_eq!(opened(&chained).frames(), Some(3 * 44_100));
    assert_eq!(all_samples(&chained).len(), 3 * 44_100);
    let mut decoder = opened(&[&one[..], &other].concat());
    let error = decoder.read(&mut Vec::new(), usize::MAX).unwrap_err();
    assert!(error.to_string().contains("to 22050 Hz"), "{error}");
}
