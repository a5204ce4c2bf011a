//! Which part of a clip is meant. Pure.

use std::{ops::Range, time::Duration};

use dictaphone::audio::time::{duration_of, frames_in};

use crate::{cli::PartArgs, message::Failure};

/// The frames of the part, for a clip that has `length` frames at that rate; `None` for all of it. Where the length is
/// not known, the end is open.
///
/// # Errors
/// A usage failure for a part that ends before it begins, or begins behind the end.
pub(crate) fn frames(part: PartArgs, length: Option<u64>, rate: u32) -> Result<Option<Range<u64>>, Failure> {
    if part.from.is_none() && part.to.is_none() {
        return Ok(None);
    }
    let frame = |place: Duration| frames_in(place, rate);
    let from = part.from.map_or(0, frame);
    let to = part.to.map_or(u64::MAX, frame).min(length.unwrap_or(u64::MAX));
    if let Some(end) = length.filter(|&length| from >= length) {
        let seconds = duration_of(end, rate).as_secs_f64();
        return Err(Failure::usage(
            format!("--from is behind the end of the clip, which is {seconds:.3} s long"),
            "name a place in it",
        ));
    }
    if part.to.is_some_and(|place| frame(place) <= from) {
        return Err(Failure::usage("--to is not behind --from", "the part goes from --from up to --to"));
    }
    Ok(Some(from..to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_exact_to_the_frame_and_lies_in_the_clip() {
        let at = |millis: Option<u64>| millis.map(Duration::from_millis);
        for (from, to, expected) in [
            (None, None, Ok(None)),
            (Some(500), None, Ok(Some(500..2_000))),
            (None, Some(1_500), Ok(Some(0..1_500))),
            (Some(500), Some(9_000), Ok(Some(500..2_000))),
            (Some(500), Some(500), Err("--to is not behind --from")),
            (Some(900), Some(500), Err("--to is not behind --from")),
            (Some(2_000), None, Err("--from is behind the end of the clip, which is 2.000 s long")),
        ] {
            let found = frames(PartArgs { from: at(from), to: at(to) }, Some(2_000), 1_000);
            assert_eq!(
                found.map_err(|failure| failure.message.text),
                expected.map_err(str::to_owned),
                "{from:?} {to:?}"
            );
        }
        let open = PartArgs { from: at(Some(3_000)), to: None };
        assert_eq!(frames(open, None, 1_000).ok().flatten(), Some(3_000..u64::MAX));
    }
}
