//! The checksums of sound files: CRC-8 and CRC-16 of FLAC frames, CRC-32 of Ogg pages.
//!
//! All of them take the highest bit first, without inversion before or after. They are here, below the encoders and the
//! decoders, because neither of these depends on the other. Pure; for any thread.

/// The CRC-8 after the header of a FLAC frame: x⁸ + x² + x + 1, from 0 (RFC 9639, section 9.1.8).
#[must_use]
pub(crate) fn flac_crc8(bytes: &[u8]) -> u8 {
    const TABLE: [u32; 256] = table(8, 0x07);
    bytes.iter().fold(0, |crc, byte| TABLE.get(usize::from(crc ^ byte)).map_or(0, |&entry| entry as u8))
}

/// The CRC-16 at the end of a FLAC frame: x¹⁶ + x¹⁵ + x² + 1, from 0 (RFC 9639, section 9.3).
#[must_use]
pub(crate) fn flac_crc16(bytes: &[u8]) -> u16 {
    // Eight bytes at a time: each table is for a byte that is that many places earlier.
    static TABLES: [[u16; 256]; 8] = flac_crc16_tables();
    let entry = |place: usize, index: u8| TABLES[place][usize::from(index)];
    let (eights, rest) = bytes.as_chunks::<8>();
    let crc = eights.iter().fold(0_u16, |crc, &[a, b, c, d, e, f, g, h]| {
        let [high, low] = crc.to_be_bytes();
        let first = entry(7, a ^ high) ^ entry(6, b ^ low) ^ entry(5, c) ^ entry(4, d);
        first ^ entry(3, e) ^ entry(2, f) ^ entry(1, g) ^ entry(0, h)
    });
    rest.iter().fold(crc, |crc, &byte| (crc << 8) ^ entry(0, (crc >> 8) as u8 ^ byte))
}

const fn flac_crc16_tables() -> [[u16; 256]; 8] {
    let single = table(16, 0x8005);
    let mut tables = [[0; 256]; 8];
    let mut place = 0;
    while place < tables.len() {
        let mut byte = 0;
        while byte < 256 {
            tables[place][byte] = if place == 0 {
                single[byte] as u16
            } else {
                let crc = tables[place - 1][byte];
                (crc << 8) ^ (single[(crc >> 8) as usize] as u16)
            };
            byte += 1;
        }
        place += 1;
    }
    tables
}

/// The CRC-32 of an Ogg page whose checksum field is zero, from 0 (RFC 3533, section 6), continued from `crc`.
#[must_use]
pub(crate) fn ogg_crc32(crc: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table(32, 0x04c1_1db7);
    bytes.iter().fold(crc, |crc, &byte| {
        let index = (crc >> 24) ^ u32::from(byte);
        (crc << 8) ^ TABLE.get((index & 0xff) as usize).copied().unwrap_or(0)
    })
}

/// What each value of the next byte adds to a checksum of `bits` bits.
const fn table(bits: u32, polynomial: u32) -> [u32; 256] {
    let mut table = [0; 256];
    let top = 1 << (bits - 1);
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = (byte as u32) << (bits - 8);
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & top == 0 { crc << 1 } else { (crc << 1) ^ polynomial };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_of_the_catalogue_come_out() {
        // CRC-8/SMBUS and CRC-16/UMTS, the catalogue's names of these parameters.
        assert_eq!(flac_crc8(b"123456789"), 0xf4);
        assert_eq!(flac_crc16(b"123456789"), 0xfee8);
        // CRC-32/CKSUM without its length and inversion.
        assert_eq!(ogg_crc32(0, b"123456789"), 0x89a1_897f);
        assert_eq!(ogg_crc32(ogg_crc32(0, b"1234"), b"56789"), 0x89a1_897f);
    }
}
