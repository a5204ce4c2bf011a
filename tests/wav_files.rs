//! WAV and raw files as a whole: what is written can be read, by our own decoder and by another program, whole or cut
//! off anywhere.

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor, Read, Seek, SeekFrom};

    use dictaphone::{
        ErrorKind,
        audio::{AudioFormat, Marker, Metadata, SampleFormat},
        format::{self, Decoder, Delivery, Encoder, EncoderSettings, Seal, WavHeader},
    };
    use proptest::prelude::*;

    fn encoder(name: &str, audio: AudioFormat, delivery: Delivery, metadata: Metadata) -> Box<dyn Encoder> {
        let settings = EncoderSettings::new(audio, delivery).metadata(metadata);
        format::by_name(name).unwrap().encoder(&settings).unwrap()
    }

    /// Samples that every format holds exactly.
    fn ramp(frames: usize, channels: u16) -> Vec<f32> {
        (0..frames * usize::from(channels)).map(|n| (n as f32 * 37.0 % 256.0 - 128.0) / 128.0).collect()
    }

    /// A recording of `frames` frames, encoded in blocks, and the encoder that made it.
    fn recorded(
        name: &str,
        audio: AudioFormat,
        delivery: Delivery,
        frames: usize,
        metadata: Metadata,
    ) -> (Vec<u8>, Box<dyn Encoder>) {
        let mut encoder = encoder(name, audio, delivery, metadata);
        let mut out = Vec::new();
        encoder.begin(&mut out).unwrap();
        for block in ramp(frames, audio.channels).chunks(3 * usize::from(audio.channels)) {
            encoder.encode(block, &mut out).unwrap();
            encoder.flush(&mut out).unwrap();
        }
        encoder.finish(&mut out).unwrap();
        (out, encoder)
    }

    fn sealed(mut bytes: Vec<u8>, seal: &Seal) -> Vec<u8> {
        bytes.truncate(usize::try_from(seal.length).unwrap());
        for patch in &seal.patches {
            let at = usize::try_from(patch.at).unwrap();
            bytes[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
        }
        bytes
    }

    fn opened(bytes: &[u8]) -> Box<dyn Decoder> {
        format::from_reader(Cursor::new(bytes.to_vec()), "test").unwrap()
    }

    fn samples(decoder: &mut dyn Decoder) -> Vec<f32> {
        let mut out = Vec::new();
        decoder.read(&mut out, usize::MAX).unwrap();
        out
    }

    fn hound_samples(bytes: &[u8]) -> Vec<f32> {
        let mut reader = hound::WavReader::new(bytes).unwrap();
        let spec = reader.spec();
        match spec.sample_format {
            hound::SampleFormat::Float => reader.samples().map(Result::unwrap).collect(),
            hound::SampleFormat::Int => {
                let scale = (1_i64 << (spec.bits_per_sample - 1)) as f32;
                reader.samples::<i32>().map(|sample| sample.unwrap() as f32 / scale).collect()
            }
        }
    }

    fn tags() -> Metadata {
        let marker = |frame, text: &str| Marker { frame, text: text.into() };
        Metadata::default()
            .time_reference(None)
            .title(Some("Gespräch mit Anna".into()))
            .date(Some("2026-11-20T14:05:09+01:00".into()))
            .software(Some("dictaphone 1.0".into()))
            .device(Some("USB Microphone".into()))
            .comment(Some("lost 12 frames".into()))
            .markers(vec![marker(0, "start"), marker(3, ""), marker(u64::from(u32::MAX), "end — ööö")])
    }

    fn every_format() -> impl Iterator<Item = AudioFormat> {
        let channels = [1, 2, 3, 6, 8, 9];
        SampleFormat::ALL.into_iter().flat_map(move |f| channels.map(|c| AudioFormat::new(44_100, c, f)))
    }

    #[test]
    fn another_library_reads_every_format() {
        for audio in every_format() {
            let (bytes, encoder) = recorded("wav", audio, Delivery::File, 101, tags());
            let bytes = sealed(bytes.clone(), &encoder.seal(bytes.len() as u64));
            let spec = hound::WavReader::new(&bytes[..]).unwrap().spec();
            let written = (spec.sample_rate, spec.channels, spec.bits_per_sample);
            assert_eq!(written, (44_100, audio.channels, audio.sample_format.bits()), "{audio}");
            assert_eq!(hound_samples(&bytes), ramp(101, audio.channels), "{audio}");
        }
    }

    #[test]
    fn the_decoder_reads_every_format_from_files_and_streams_sealed_or_not() {
        for audio in every_format() {
            for delivery in [Delivery::File, Delivery::Stream] {
                let metadata = if delivery == Delivery::File { tags() } else { Metadata::default() };
                let (bytes, encoder) = recorded("wav", audio, delivery, 101, metadata.clone());
                let mut decoder = opened(&sealed(bytes.clone(), &encoder.seal(bytes.len() as u64)));
                assert_eq!((decoder.format(), decoder.frames()), (audio, Some(101)), "{delivery:?}");
                assert_eq!(samples(decoder.as_mut()), ramp(101, audio.channels), "{audio} {delivery:?}");
                assert_eq!(decoder.metadata(), &metadata, "{audio}");
                // A program that died before any checkpoint leaves the header of an empty file.
                let unsealed = samples(opened(&bytes).as_mut());
                assert!(unsealed.starts_with(&ramp(101, audio.channels)), "{audio} {delivery:?}");
            }
        }
    }

    #[test]
    fn a_file_cut_off_anywhere_keeps_exactly_its_whole_frames() {
        for (channels, sample_format, metadata) in [
            (1, SampleFormat::S16, Metadata::default()),
            (2, SampleFormat::S16, tags()),
            (1, SampleFormat::S24, tags()),
            (1, SampleFormat::S24, Metadata::default()),
            (3, SampleFormat::S24, tags()),
            (2, SampleFormat::F32, tags()),
        ] {
            let audio = AudioFormat::new(8_000, channels, sample_format);
            let (bytes, encoder) = recorded("wav", audio, Delivery::File, 11, metadata.clone());
            let header = usize::try_from(WavHeader::new(audio).unwrap().file_len()).unwrap();
            for cut in 0..=bytes.len() {
                let seal = encoder.seal(cut as u64);
                let file = sealed(bytes[..cut].to_vec(), &seal);
                if cut < header {
                    assert_eq!(seal, Seal::default(), "{audio} cut at {cut}");
                    continue;
                }
                let frames = ((cut - header) / audio.frame_bytes() as usize).min(11);
                let mut decoder = opened(&file);
                assert_eq!(decoder.frames(), Some(frames as u64), "{audio} cut at {cut}");
                assert_eq!(samples(decoder.as_mut()), ramp(frames, channels), "{audio} cut at {cut}");
                assert_eq!(hound_samples(&file), ramp(frames, channels), "{audio} cut at {cut}");
                let riff = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize;
                assert_eq!(riff + 8, file.len(), "{audio} cut at {cut}");
                let whole = cut == bytes.len();
                let kept = if whole { metadata.clone() } else { Metadata::default() };
                assert_eq!(decoder.metadata(), &kept);
                assert!(!whole || file.len() == bytes.len(), "the whole file is kept");
            }
        }
    }

    #[test]
    fn the_raw_format_is_the_data_of_the_wav_file() {
        for audio in every_format() {
            let (raw, encoder) = recorded("raw", audio, Delivery::File, 10, tags());
            let (wav, _) = recorded("wav", audio, Delivery::Stream, 10, tags());
            assert!(wav.ends_with(&raw), "{audio}");
            assert_eq!(raw.len(), 10 * audio.frame_bytes() as usize);
            assert_eq!(encoder.seal(raw.len() as u64 - 1).length, 9 * u64::from(audio.frame_bytes()));
        }
    }

    /// A huge file of zeros between a head and a tail.
    struct Huge {
        head: Vec<u8>,
        tail: Vec<u8>,
        len: u64,
        at: u64,
    }

    impl Read for Huge {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let tail_at = self.len - self.tail.len() as u64;
            let count = buffer.len().min(usize::try_from(self.len.saturating_sub(self.at)).unwrap());
            for byte in &mut buffer[..count] {
                let part = if self.at < tail_at { (&self.head, self.at) } else { (&self.tail, self.at - tail_at) };
                *byte = part.0.get(usize::try_from(part.1).unwrap()).copied().unwrap_or(0);
                self.at += 1;
            }
            Ok(count)
        }
    }

    impl Seek for Huge {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.at = match to {
                SeekFrom::Start(at) => at,
                SeekFrom::End(by) => self.len.checked_add_signed(by).unwrap(),
                SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
            };
            Ok(self.at)
        }
    }

    #[test]
    fn files_around_4_gib_are_read_to_their_last_frame_with_their_tags() {
        let audio = AudioFormat::new(48_000, 1, SampleFormat::S24);
        let header = WavHeader::new(audio).unwrap();
        let (empty, _) = recorded("wav", audio, Delivery::File, 0, tags());
        let trailer = empty[usize::try_from(header.file_len()).unwrap()..].to_vec();
        let around = (0xffff_fffe_u64 + 8 - header.file_len() - trailer.len() as u64) / 3;
        let mut ids = Vec::new();
        for frames in (around - 2..=around + 2).chain([3 << 31]) {
            let (data, pad) = (frames * 3, frames % 2);
            let len = header.file_len() + data + pad + trailer.len() as u64;
            let head = header.file(data, len);
            ids.push(head[..4].to_vec());
            let tail = [&[0, 0, 0x40][..], &vec![0; usize::try_from(pad).unwrap()], &trailer].concat();
            let mut decoder = format::from_reader(Huge { head, tail, len, at: 0 }, "huge").unwrap();
            assert_eq!(decoder.frames(), Some(frames));
            assert_eq!(decoder.metadata(), &tags());
            decoder.seek(frames - 2).unwrap();
            assert_eq!(samples(decoder.as_mut()), [0.0, 0.5]);
        }
        assert!(ids.contains(&b"RIFF".to_vec()) && ids.contains(&b"RF64".to_vec()));
    }

    /// Everything that can be done with a file of any bytes, within bounds.
    fn explore(bytes: &[u8]) {
        match format::from_reader(Cursor::new(bytes.to_vec()), "any") {
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::NotSupported | ErrorKind::Undecodable),
                "{error}"
            ),
            Ok(mut decoder) => {
                let audio = decoder.format();
                assert!(audio.channels > 0 && audio.sample_rate > 0);
                let frames = decoder.frames().unwrap();
                // The sparsest codec that a tag can stand for has some hundred frames in a byte.
                assert!(frames <= 1024 * bytes.len() as u64);
                let all = samples(decoder.as_mut());
                assert_eq!(all.len() as u64, frames * u64::from(audio.channels));
                assert!(all.iter().all(|sample| !sample.is_nan()));
                decoder.seek(frames / 2).unwrap();
                let rest = samples(decoder.as_mut());
                assert_eq!(rest, all[all.len() - rest.len()..]);
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_behind_a_riff_id_are_survived(
            bytes: Vec<u8>, id in prop::sample::select(vec![*b"RIFF", *b"RF64", *b"BW64", *b"ABCD"])
        ) {
            explore(&bytes);
            explore(&[&id[..], &bytes].concat());
            explore(&[&id[..], b"\xff\xff\xff\xffWAVE", &bytes].concat());
        }

        #[test]
        fn any_damage_to_a_good_file_is_survived(
            format in 0_usize..24, rf64: bool, cut in 0_usize..1000,
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
            huge in prop::collection::vec(any::<prop::sample::Index>(), 0..3)
        ) {
            let audio = every_format().nth(format).unwrap();
            let (bytes, encoder) = recorded("wav", audio, Delivery::File, 20, tags());
            let mut bytes = sealed(bytes.clone(), &encoder.seal(bytes.len() as u64));
            if rf64 {
                let head = WavHeader::new(audio).unwrap().file(20 * u64::from(audio.frame_bytes()), 1 << 40);
                bytes[..head.len()].copy_from_slice(&head);
            }
            for (at, value) in damage {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            for at in huge {
                let at = at.index(bytes.len() - 4);
                bytes[at..at + 4].fill(0xff);
            }
            bytes.truncate(bytes.len().saturating_sub(cut.saturating_sub(500)));
            explore(&bytes);
        }
    }
}
