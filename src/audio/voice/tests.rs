use super::*;

#[test]
fn nothing_and_nonsense_are_no_speech() {
    for sample in [0.0, f32::NAN, f32::INFINITY, 1.0] {
        let mut detector = VoiceDetector::default();
        let mut frames = 0;
        detector.push(&[sample; 16_000], |heard| {
            frames += 1;
            assert!(!heard.speech, "{sample}: {heard:?}");
        });
        assert_eq!(frames, 62);
    }
}
