//! The voice detector on real speech, mixed with noise at several levels: how many utterances it finds, how soon, and
//! how often it mistakes noise or music for speech. The numbers are printed.

#![allow(clippy::print_stdout, reason = "the numbers are what these tests are for")]

use std::{f32::consts::TAU, path::Path};

use dictaphone::{
    audio::{
        Resampler,
        voice::{FRAME, Heard, Survey, VOICE_RATE, VoiceWatch, level_dbfs},
    },
    format,
};

/// What a gate keeps before speech by itself, in samples: utterances may be noticed so late and begin in time.
const PRE_ROLL: i64 = 8_000;

/// 100 ms.
const IN_TIME: i64 = 1_600;

fn speech() -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/speech/two_cities.opus");
    let mut decoder = format::open(&path).unwrap();
    let mut samples = Vec::new();
    while decoder.read(&mut samples, 65_536).unwrap() > 0 {}
    let mut resampler = Resampler::new(decoder.format().sample_rate, VOICE_RATE, 1).unwrap();
    let mut speech = Vec::new();
    resampler.push(&samples, &mut speech).unwrap();
    resampler.finish(&mut speech).unwrap();
    speech
}

/// Cuts speech at its pauses of 200 ms; what is found is equally loud.
fn utterances(speech: &[f32]) -> Vec<Vec<f32>> {
    let levels: Vec<f32> = speech.chunks_exact(FRAME).map(level_dbfs).collect();
    let loudest = levels.iter().copied().fold(f32::MIN, f32::max);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, _) in levels.iter().enumerate().filter(|(_, level)| **level > loudest - 28.0) {
        match found.last_mut() {
            Some((_, last)) if at - *last < 13 => *last = at,
            _ => found.push((at, at)),
        }
    }
    let is_long = |&(from, last): &(usize, usize)| last - from >= 12;
    let cut = |(from, last): (usize, usize)| {
        let one = &speech[from * FRAME..(last + 1) * FRAME];
        let factor = 0.07 / power(one).sqrt();
        one.iter().map(|sample| sample * factor).collect()
    };
    found.into_iter().filter(is_long).map(cut).collect()
}

fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32
}

/// White noise between -1 and 1 (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}

/// So many samples of noise of a kind and of power 1.
fn noise(kind: &str, length: usize) -> Vec<f32> {
    let (mut white, mut slow, mut fast) = (Noise(88_172_645_463_325_252), 0.0, 0.0);
    let mut all: Vec<f32> = (0..length)
        .map(|at| {
            let (sample, phase) = (white.next(), at as f32 / VOICE_RATE as f32 * TAU);
            slow = 0.97 * slow + 0.1 * sample;
            fast = 0.7 * fast + 0.3 * sample;
            match kind {
                "white" => sample,
                "pink" => slow + 0.3 * fast,
                _ => (50.0 * phase).sin() + 0.5 * (150.0 * phase).sin() + 0.2 * sample,
            }
        })
        .collect();
    let factor = 1.0 / power(&all).sqrt();
    all.iter_mut().for_each(|sample| *sample *= factor);
    all
}

/// Whether somebody speaks, every 16 ms.
fn judge(samples: &[f32]) -> Vec<bool> {
    let mut watch = VoiceWatch::new(VOICE_RATE, 1).unwrap();
    samples.chunks_exact(FRAME).map(|frame| watch.push(frame, f32::NEG_INFINITY, |_| {})).collect()
}

#[test]
fn speech_is_found_in_noise_and_noise_is_no_speech() {
    let utterances = utterances(&speech());
    assert!(utterances.len() >= 15, "{}", utterances.len());
    let (mut clean, mut spoken) = (Vec::new(), Vec::new());
    for (number, utterance) in utterances.iter().cycle().take(3 * utterances.len()).enumerate() {
        clean.resize(clean.len() + 24_000 + number * 7_919 % 32_000, 0.0);
        spoken.push((clean.len(), clean.len() + utterance.len()));
        clean.extend(utterance);
    }
    clean.resize(clean.len() + 32_000, 0.0);
    for kind in ["white", "pink", "hum"] {
        let noise = noise(kind, clean.len());
        for snr_db in [40.0_f32, 20.0, 10.0, 5.0] {
            let factor = 0.07 / 10.0_f32.powf(snr_db / 20.0);
            let mixed: Vec<f32> = clean.iter().zip(&noise).map(|(clean, noise)| clean + factor * noise).collect();
            let speaks = judge(&mixed);
            let mut is_inside = vec![false; speaks.len()];
            let mut late: Vec<i64> = Vec::new();
            for &(from, to) in &spoken {
                // The end of the last frames, and what the vote remembers of them.
                let range = from / FRAME..(to / FRAME + 12).min(speaks.len());
                is_inside[range.clone()].fill(true);
                let noticed = (from / FRAME..to / FRAME).find(|&at| speaks[at]);
                late.extend(noticed.map(|at| ((at + 1) * FRAME) as i64 - from as i64));
            }
            late.sort_unstable();
            let found = late.len() as f64 / spoken.len() as f64;
            let in_time = late.iter().filter(|&&late| late - PRE_ROLL <= IN_TIME).count() as f64 / spoken.len() as f64;
            let outside: Vec<bool> = (0..speaks.len()).filter(|&at| !is_inside[at]).map(|at| speaks[at]).collect();
            let wrong = outside.iter().filter(|speaks| **speaks).count() as f64 / outside.len() as f64;
            println!(
                "{kind:5} {snr_db:2} dB: {:5.1} % of {} utterances found, {:5.1} % begin in time, noticed after {} ms (median), \
                 {} ms (last); {:.2} % of the rest taken for speech",
                100.0 * found,
                spoken.len(),
                100.0 * in_time,
                late[late.len() / 2] / 16,
                late[late.len() - 1] / 16,
                100.0 * wrong,
            );
            if snr_db >= 10.0 {
                assert!(found >= 0.98 && in_time >= 0.98, "{kind} {snr_db} dB: {found} {in_time}");
                assert!(wrong <= 0.02, "{kind} {snr_db} dB: {wrong}");
            }
        }
    }
}

/// Three strings, plucked every two seconds (K. Karplus and A. Strong, "Digital synthesis of plucked-string and drum
/// timbres", 1983).
fn plucked() -> Vec<f32> {
    let mut noise = Noise(2_718_281_828_459);
    let mut all = vec![0.0; 160_000];
    for from in (0..all.len()).step_by(32_000) {
        for hertz in [130.81_f32, 164.81, 196.0] {
            let mut string: Vec<f32> = (0..(VOICE_RATE as f32 / hertz) as usize).map(|_| 0.2 * noise.next()).collect();
            for at in 0..32_000.min(all.len() - from) {
                let (here, next) = (at % string.len(), (at + 1) % string.len());
                all[from + at] += string[here];
                string[here] = 0.498 * (string[here] + string[next]);
            }
        }
    }
    all
}

#[test]
fn music_is_no_speech() {
    let chord = |tone: &dyn Fn(f32) -> f32| -> Vec<f32> {
        let (mut noise, seconds) = (Noise(3_141_592_653_589), |at: usize| at as f32 / VOICE_RATE as f32);
        let sum = |at: usize| [220.0, 277.18, 329.63].iter().map(|hertz| tone(hertz * seconds(at))).sum::<f32>();
        (0..160_000).map(|at| 0.1 * sum(at) + 0.001 * noise.next()).collect()
    };
    let sine = |turns: f32| (turns * TAU).sin();
    let organ = |turns: f32| (1..6).map(|nth| sine(turns * nth as f32) / nth as f32).sum::<f32>();
    let triangle = |turns: f32| 4.0 * (turns.fract() - 0.5).abs() - 1.0;
    // Strings are a voice for a moment when they are plucked; half a second is a reason to go on.
    for (name, samples, most) in [
        ("sine", chord(&sine), 0.02),
        ("organ", chord(&organ), 0.02),
        ("triangle", chord(&triangle), 0.02),
        ("plucked strings", plucked(), 0.12),
    ] {
        let speaks = judge(&samples);
        let wrong = speaks.iter().filter(|speaks| **speaks).count() as f64 / speaks.len() as f64;
        let longest = speaks.split(|speaks| !speaks).map(<[bool]>::len).max().unwrap_or(0) * FRAME / 16;
        println!("a chord of {name}: {:.2} % taken for speech, at most {longest} ms at once", 100.0 * wrong);
        assert!(wrong <= most && longest < 400, "{name}: {wrong} {longest}");
    }
}

#[test]
fn a_voice_in_the_second_channel_alone_is_found_at_any_rate() {
    let speech = speech();
    let utterance = &utterances(&speech)[0];
    for rate in [8_000, 44_100, 48_000] {
        let mut resampled = Vec::new();
        let mut resampler = Resampler::new(VOICE_RATE, rate, 1).unwrap();
        resampler.push(utterance, &mut resampled).unwrap();
        resampler.finish(&mut resampled).unwrap();
        let stereo: Vec<f32> = resampled.iter().flat_map(|sample| [0.0, *sample]).collect();
        let mut watch = VoiceWatch::new(rate, 2).unwrap();
        let speaks = stereo.chunks(2 * 441).filter(|block| watch.push(block, -60.0, |_| {})).count();
        assert!(speaks * 2 > stereo.len() / (2 * 441), "{rate}: {speaks}");
        let mut watch = VoiceWatch::new(rate, 2).unwrap();
        assert!(!stereo.chunks(2 * 441).any(|block| watch.push(block, -5.0, |_| {})), "not so quiet a voice");
    }
}

#[test]
fn a_survey_tells_room_and_voice_apart() {
    let utterances = utterances(&speech());
    let mut samples = vec![0.0; 24_000];
    utterances.iter().take(2).for_each(|utterance| samples.extend(utterance));
    samples.resize(samples.len() + 24_000, 0.0);
    let room = noise("pink", samples.len());
    samples.iter_mut().zip(room).for_each(|(sample, room)| *sample += 0.002 * room);
    let mut survey = Survey::default();
    VoiceWatch::new(VOICE_RATE, 1).unwrap().push(&samples, f32::NEG_INFINITY, |heard: Heard| survey.push(heard));
    let report = survey.report().unwrap();
    let (floor, voice, threshold) =
        (report.floor_dbfs.unwrap(), report.speech_dbfs.unwrap(), report.threshold_dbfs.unwrap());
    assert!((floor + 54.0).abs() < 2.0, "{report:?}");
    assert!(voice > -32.0 && voice < -15.0, "{report:?}");
    assert!(threshold > floor + 4.0 && threshold < voice - 8.0, "{report:?}");
}
