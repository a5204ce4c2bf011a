//! The parts of the screen, each drawn into a buffer. Pure.

pub(super) mod canvas;
pub(super) mod clips;
pub(super) mod dialog;
pub(super) mod jobs;
pub(super) mod meter;
pub(super) mod notice;
pub(super) mod oscilloscope;
pub(super) mod outline;
pub(super) mod spectrum;
pub(super) mod waveform;
