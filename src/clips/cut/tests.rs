//! Cuts of real files, checked by their content afterwards.

use std::{fs, ops::ControlFlow};

use proptest::prelude::*;

use super::*;
use crate::{
    clips::{Advance, clip::tests::wav},
    format,
};

fn go_on(_: Advance) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A clip in a folder of its own, in which every frame is different.
struct Rig {
    dir: tempfile::TempDir,
    path: PathBuf,
    samples: Vec<f32>,
}

fn marker(frame: u64, text: &str) -> Marker {
    Marker { frame, text: text.to_owned() }
}

fn rig(frames: u16, markers: &[(u64, &str)]) -> Rig {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("talk.wav");
    let samples: Vec<f32> = (0..frames).map(|frame| f32::from(frame) / 32_768.0).collect();
    let markers = markers.iter().map(|&(frame, text)| marker(frame, text)).collect();
    fs::write(&path, wav(&samples, 1, Metadata { markers, title: Some("talk".into()), ..Metadata::default() }))
        .unwrap();
    Rig { dir, path, samples }
}

impl Rig {
    fn frames(&self) -> (Vec<f32>, Metadata) {
        let mut decoder = format::open(&self.path).unwrap();
        let mut samples = Vec::new();
        while decoder.read(&mut samples, 4_096).unwrap() > 0 {}
        (samples, decoder.metadata().clone())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

#[test]
#[allow(clippy::single_range_in_vec_init, reason = "parts that are left, of which there may be one")]
fn what_is_left_is_exact_to_the_frame_and_markers_move_along() {
    let markers = [(0, "start"), (99, "before"), (100, "in"), (299, "in"), (300, "after"), (1_000, "end")];
    for (what, kept, expected) in [
        (
            Cut::Out(100..300),
            vec![0..100, 300..1_000],
            vec![(0, "start"), (99, "before"), (100, "after"), (800, "end")],
        ),
        (Cut::Keep(100..300), vec![100..300], vec![(0, "in"), (199, "in")]),
        (Cut::Out(0..300), vec![300..1_000], vec![(0, "after"), (700, "end")]),
        (Cut::Out(300..9_999), vec![0..300], vec![(0, "start"), (99, "before"), (100, "in"), (299, "in")]),
        (Cut::Keep(0..1), vec![0..1], vec![(0, "start")]),
    ] {
        let rig = rig(1_000, &markers);
        let whole = fs::read(&rig.path).unwrap();
        let trimmed = cut(&rig.path, &what, false, &mut go_on).unwrap();
        let (samples, tags) = rig.frames();
        let left: Vec<f32> = kept.iter().cloned().flat_map(|part| rig.samples[part].to_vec()).collect();
        assert_eq!(samples, left, "{what:?}");
        assert_eq!((trimmed.frames, trimmed.gone), (left.len() as u64, 1_000 - left.len() as u64), "{what:?}");
        let found: Vec<(u64, &str)> = tags.markers.iter().map(|marker| (marker.frame, marker.text.as_str())).collect();
        assert_eq!((found, tags.title.as_deref()), (expected, Some("talk")), "{what:?}");
        undo_cut(&trimmed).unwrap();
        assert_eq!(fs::read(&rig.path).unwrap(), whole, "{what:?}");
        assert_eq!(rig.names(), ["talk.wav"], "{what:?}");
    }
}

#[test]
fn a_cut_of_everything_or_of_nothing_is_refused_and_changes_nothing() {
    for what in [Cut::Out(0..1_000), Cut::Out(0..u64::MAX), Cut::Keep(1_000..2_000), Cut::Keep(7..7)] {
        let rig = rig(1_000, &[]);
        let error = cut(&rig.path, &what, true, &mut go_on).unwrap_err();
        assert!(error.to_string().contains("nothing would be left"), "{what:?}: {error}");
        assert_eq!((rig.frames().0.len(), rig.names()), (1_000, vec!["talk.wav".to_owned()]));
    }
    #[allow(clippy::reversed_empty_ranges, reason = "of a caller who is wrong")]
    for what in [Cut::Out(5..5), Cut::Out(9..5), Cut::Out(1_000..2_000), Cut::Keep(0..1_000)] {
        let rig = rig(1_000, &[]);
        let error = cut(&rig.path, &what, false, &mut go_on).unwrap_err();
        assert!(error.to_string().contains("nothing would be cut"), "{what:?}: {error}");
    }
}

#[test]
fn what_is_given_up_leaves_the_clip_as_it_was() {
    let rig = rig(1_000, &[]);
    let error = cut(&rig.path, &Cut::Out(1..2), false, &mut |_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(
        (error.kind(), rig.frames().0.len(), rig.names()),
        (ErrorKind::Abort, 1_000, vec!["talk.wav".to_owned()])
    );
}

#[test]
fn a_clip_that_was_changed_since_is_not_replaced() {
    let rig = rig(1_000, &[]);
    let trimmed = cut(&rig.path, &Cut::Out(1..2), false, &mut go_on).unwrap();
    fs::write(&rig.path, wav(&[0.5; 3], 1, Metadata::default())).unwrap();
    assert_eq!(undo_cut(&trimmed).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(rig.frames().0.len(), 3);
}

#[test]
fn a_soft_cut_meets_where_it_is_quiet_and_has_the_same_length() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tone.wav");
    let tone: Vec<f32> = (0..48_000_u16).map(|frame| (f32::from(frame) / 30.0).sin() * 0.5).collect();
    let loudest = |samples: &[f32], around: usize| {
        let steps = samples[around - 400..around + 400].windows(2).map(|pair| (pair[1] - pair[0]).abs());
        steps.fold(0.0_f32, f32::max)
    };
    for (soft, limit) in [(false, 0.2), (true, 0.03)] {
        fs::write(&path, wav(&tone, 1, Metadata::default())).unwrap();
        // Half a wave later: equally loud and of opposite sign.
        let trimmed = cut(&path, &Cut::Out(10_000..10_094 + 1_885), soft, &mut go_on).unwrap();
        let mut samples = Vec::new();
        let mut decoder = format::open(&path).unwrap();
        while decoder.read(&mut samples, 4_096).unwrap() > 0 {}
        assert_eq!((samples.len() as u64, trimmed.gone), (48_000 - 1_979, 1_979), "{soft}");
        assert!((loudest(&samples, 10_000) > limit) != soft, "{soft}: {}", loudest(&samples, 10_000));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_cut_keeps_what_it_says(a in 0_u64..500, b in 0_u64..500, keep: bool, soft: bool) {
        let rig = rig(400, &[]);
        let (from, to) = (a.min(b), a.max(b));
        let what = if keep { Cut::Keep(from..to) } else { Cut::Out(from..to) };
        let inside = (from..to).end.min(400) - from.min(400).min((from..to).end.min(400));
        let expected = if keep { inside } else { 400 - inside };
        match cut(&rig.path, &what, soft, &mut go_on) {
            Ok(trimmed) => {
                prop_assert_eq!(trimmed.frames, expected);
                prop_assert_eq!(rig.frames().0.len() as u64, expected);
                prop_assert!(trimmed.seam <= expected);
            }
            Err(error) => prop_assert!(expected == 0 || expected == 400, "{}", error),
        }
    }
}
