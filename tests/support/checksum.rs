//! The checksums of FLAC frames and Ogg pages, bit by bit from their definitions, so that they do not share an error with
//! the tables that the library has. The fuzz targets use them too.

fn remainder(width: u32, polynomial: u32, bytes: &[u8]) -> u32 {
    let mask = u32::MAX >> (32 - width);
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ (u32::from(byte) << (width - 8)), |crc, _| {
            let carried = if crc >> (width - 1) & 1 == 1 { polynomial } else { 0 };
            (crc << 1) & mask ^ carried
        })
    })
}

/// The CRC-8 behind the head of a FLAC frame (RFC 9639, section 9.1.8).
pub(crate) fn flac_crc8(bytes: &[u8]) -> u8 {
    remainder(8, 0x07, bytes) as u8
}

/// The CRC-16 at the end of a FLAC frame (RFC 9639, section 9.3).
pub(crate) fn flac_crc16(bytes: &[u8]) -> u16 {
    remainder(16, 0x8005, bytes) as u16
}

/// The CRC-32 of an Ogg page whose own field is zero (RFC 3533, section 6).
pub(crate) fn ogg_crc32(bytes: &[u8]) -> u32 {
    remainder(32, 0x04c1_1db7, bytes)
}
