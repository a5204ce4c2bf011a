//! How a residual is cut into partitions, each with the Rice parameter that suits it (RFC 9639, section 9.2.7). Pure.
//!
//! Numbers are folded here: 0, -1, 1, -2, 2 … are 0, 1, 2, 3, 4 … There are no escaped partitions: sound for which a
//! Rice code does not help is stored as it is.

use super::bits::BitWriter;

/// The most halvings of a block. The streamable subset allows 8 (RFC 9639, section 7).
const ORDER_MAX: u32 = 6;

const PARTITIONS_MAX: usize = 1 << ORDER_MAX;

/// The largest parameter that is stored in four bits.
const SHORT_PARAMETER_MAX: u32 = 14;

/// The largest that is stored in five.
const PARAMETER_MAX: u32 = 30;

/// The partitions of one residual.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partitioning {
    order: u32,
    parameters: [u32; PARTITIONS_MAX],
    /// About how many bits the coded residual takes.
    pub(super) bits: u64,
    /// The sum of all its numbers.
    pub(super) sum: u64,
}

impl Partitioning {
    /// The shortest one found for the residual `folded` of the last frames of a block of `block` frames.
    pub(super) fn of(folded: &[u32], block: usize) -> Self {
        let warm_up = block.saturating_sub(folded.len());
        let mut order = ORDER_MAX.min(block.trailing_zeros());
        // No partition may consist only of the frames that the prediction starts from.
        while order > 0 && block >> order <= warm_up {
            order -= 1;
        }
        let mut sums: Vec<u64> = partitions(folded, block, order).map(sum).collect();
        let mut best = Self::with(&sums, block, warm_up);
        while sums.len() > 1 {
            sums = sums.chunks(2).map(|pair| pair.iter().sum()).collect();
            let found = Self::with(&sums, block, warm_up);
            if found.bits < best.bits {
                best = found;
            }
        }
        best
    }

    /// As many partitions as there are `sums` of the numbers in each.
    fn with(sums: &[u64], block: usize, warm_up: usize) -> Self {
        let order = sums.len().max(1).ilog2();
        let mut found = Self { order, parameters: [0; PARTITIONS_MAX], bits: 6, sum: sums.iter().sum() };
        let mut length = ((block >> order) - warm_up) as u64;
        for (&sum, parameter) in sums.iter().zip(&mut found.parameters) {
            let (best, bits) = parameter_for(sum, length);
            *parameter = best;
            found.bits += bits;
            length = (block >> order) as u64;
        }
        found.bits += u64::from(found.parameter_bits()) << order;
        found
    }

    fn used(&self) -> &[u32] {
        self.parameters.get(..1 << self.order).unwrap_or_default()
    }

    fn parameter_bits(&self) -> u32 {
        if self.used().iter().any(|&parameter| parameter > SHORT_PARAMETER_MAX) { 5 } else { 4 }
    }

    /// Appends the coded residual, which must be the one that it was made for.
    pub(super) fn write(&self, folded: &[u32], block: usize, out: &mut BitWriter) {
        let parameter_bits = self.parameter_bits();
        out.put(parameter_bits - 4, 2);
        out.put(self.order, 4);
        for (partition, &parameter) in partitions(folded, block, self.order).zip(self.used()) {
            out.put(parameter, parameter_bits);
            out.put_rice(partition, parameter);
        }
    }
}

/// The 2^`order` partitions of a residual; the first one is shorter by the frames that the residual lacks of a block.
fn partitions(folded: &[u32], block: usize, order: u32) -> impl Iterator<Item = &[u32]> {
    let length = block >> order;
    let first = length.saturating_sub(block.saturating_sub(folded.len()));
    let (first, others) = folded.split_at_checked(first).unwrap_or((folded, &[]));
    std::iter::once(first).chain(others.chunks(length.max(1)))
}

/// The sum of at most 65,536 numbers. Their halves are summed separately, because sums of 32 bits can be vectorized.
fn sum(numbers: &[u32]) -> u64 {
    let low = numbers.iter().fold(0_u32, |sum, number| sum.wrapping_add(number & 0xffff));
    let high = numbers.iter().fold(0_u32, |sum, number| sum.wrapping_add(number >> 16));
    u64::from(low) + (u64::from(high) << 16)
}

/// The parameter for `length` numbers with that sum, and about how many bits they take.
fn parameter_for(sum: u64, length: u64) -> (u32, u64) {
    let bits = |parameter: u32| {
        // Remainders are spread evenly, so half their range is in them on average and not in the quotients.
        let rests = ((length << parameter) - length) / 2;
        length * u64::from(parameter + 1) + (sum.saturating_sub(rests) >> parameter)
    };
    let near = (sum / length.max(1)).max(1).ilog2().min(PARAMETER_MAX);
    let below = near.saturating_sub(1);
    if bits(below) < bits(near) { (below, bits(below)) } else { (near, bits(near)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loud_and_quiet_parts_get_parameters_of_their_own() {
        let folded: Vec<u32> = (0..4_094).map(|n| if n < 2_046 { 1_000 } else { 1 }).collect();
        let found = Partitioning::of(&folded, 4_096);
        assert_eq!((found.order, found.used()), (1, &[9, 0][..]));
    }

    #[test]
    fn the_frames_that_prediction_starts_from_fit_into_the_first_partition() {
        for block in 1..600 {
            for warm_up in (0..=12).filter(|&warm_up| warm_up < block) {
                let folded = vec![3; block - warm_up];
                let found = Partitioning::of(&folded, block);
                let lengths: Vec<usize> = partitions(&folded, block, found.order).map(<[u32]>::len).collect();
                assert_eq!(lengths.len(), 1 << found.order, "{block} {warm_up}");
                assert_eq!(lengths.iter().sum::<usize>(), folded.len());
                assert!(lengths.iter().all(|&length| length > 0));
            }
        }
    }

    #[test]
    fn numbers_of_32_bits_are_summed_and_coded() {
        assert_eq!(sum(&[u32::MAX; 65_536]), u64::from(u32::MAX) * 65_536);
        let found = Partitioning::of(&[u32::MAX; 16], 16);
        assert_eq!(found.used().first(), Some(&PARAMETER_MAX));
        assert_eq!(found.parameter_bits(), 5);
    }
}
