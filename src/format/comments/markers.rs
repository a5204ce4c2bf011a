//! A block of Vorbis comments with other markers; every other comment stays as it is, byte for byte. Pure.

use super::{read, write};
use crate::audio::{Marker, Metadata};

/// The block with these markers, in frames of `sample_rate` a second; `None` if it is none. Markers that do not fit
/// into `limit` bytes are left out, the latest of them first.
pub(crate) fn with_markers(block: &[u8], markers: &[Marker], sample_rate: u32, limit: usize) -> Option<Vec<u8>> {
    let (vendor, rest) = read::counted(block)?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let mut kept: Vec<&[u8]> = Vec::new();
    for _ in 0..u32::from_le_bytes(*count) {
        let (field, behind) = read::counted(rest)?;
        rest = behind;
        if !is_chapter(field) {
            kept.push(field);
        }
    }
    let size: usize = 8 + vendor.len() + kept.iter().map(|field| 4 + field.len()).sum::<usize>();
    let only = Metadata { markers: markers.to_vec(), ..Metadata::default() };
    // Written like those of a new file, after the existing comments.
    let empty = write::comments(&Metadata::default(), sample_rate, usize::MAX).len();
    let chapters = write::comments(&only, sample_rate, limit.saturating_sub(size) + empty);
    let (_, chapters) = read::counted(&chapters)?;
    let (added, chapters) = chapters.split_first_chunk::<4>()?;
    let length = |bytes: usize| u32::try_from(bytes).ok().map(u32::to_le_bytes);
    let total = u32::try_from(kept.len()).ok()?.checked_add(u32::from_le_bytes(*added))?;
    let mut out = [&length(vendor.len())?[..], vendor, &total.to_le_bytes()].concat();
    for field in kept {
        out.extend(length(field.len())?);
        out.extend(field);
    }
    out.extend(chapters);
    Some(out)
}

/// `CHAPTER001=` or `CHAPTER001NAME=` and the like.
fn is_chapter(field: &[u8]) -> bool {
    let name = field.split(|&byte| byte == b'=').next().unwrap_or_default().to_ascii_uppercase();
    let digits = name.strip_prefix(b"CHAPTER").and_then(|rest| rest.first_chunk::<3>());
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_comments_stay_and_markers_are_replaced() {
        let marker = |frame, text: &str| Marker { frame, text: text.into() };
        let old = Metadata { title: Some("talk".into()), markers: vec![marker(48_000, "old")], ..Metadata::default() };
        let mut block = write::comments(&old, 48_000, 9_999);
        // A comment of another program.
        let odd = b"X-ODD=\xff=1";
        let count = u32::from_le_bytes(*block[4 + block[0] as usize..].first_chunk().unwrap()) + 1;
        let at = 4 + block[0] as usize;
        block[at..at + 4].copy_from_slice(&count.to_le_bytes());
        block.extend(u32::try_from(odd.len()).unwrap().to_le_bytes());
        block.extend(odd);
        let markers = [marker(96_000, "budget"), marker(144_000, "")];
        let new = with_markers(&block, &markers, 48_000, 9_999).unwrap();
        let found = read::metadata(&new, 48_000);
        assert_eq!((found.title.as_deref(), found.markers.as_slice()), (Some("talk"), &markers[..]));
        assert!(new.windows(odd.len()).any(|window| window == odd));
        let none = with_markers(&new, &[], 48_000, 9_999).unwrap();
        assert!(read::metadata(&none, 48_000).markers.is_empty());
        for end in 0..new.len() - 40 {
            let _ = with_markers(&new[..end], &markers, 48_000, 99);
        }
        let scarce = with_markers(&none, &markers, 48_000, none.len() + 60).unwrap();
        assert_eq!(read::metadata(&scarce, 48_000).markers, markers[..1]);
    }
}
