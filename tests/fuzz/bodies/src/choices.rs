//! Decisions taken from the fuzzer's bytes, front to back.

/// Reads decisions; once the bytes are used up, every answer is zero.
#[derive(Clone, Debug)]
pub(crate) struct Choices<'a> {
    rest: &'a [u8],
}

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn u8(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// Yes or no, by the lowest bit of a byte.
    pub(crate) fn flag(&mut self) -> bool {
        self.u8() & 1 == 1
    }

    /// A number below `count`, by one byte or, where that is too few, two; zero if `count` is.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        match count {
            0 => 0,
            1..=256 => usize::from(self.u8()) % count,
            _ => usize::from(self.u16()) % count,
        }
    }

    /// One of several values.
    pub(crate) fn pick<T: Copy, const N: usize>(&mut self, values: &[T; N]) -> T {
        values[self.below(N)]
    }

    /// At most `count` bytes.
    pub(crate) fn slice(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Everything that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.slice(usize::MAX)
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let taken = self.slice(N);
        out[..taken.len()].copy_from_slice(taken);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_go_on_as_zeros_after_the_end() {
        let mut choices = Choices::new(&[7, 1, 2]);
        assert_eq!((choices.below(4), choices.u16(), choices.is_empty()), (3, 0x0201, true));
        assert_eq!((choices.u64(), choices.below(0), choices.pick(&[5, 6])), (0, 0, 5));
        assert!(choices.rest().is_empty());
    }
}
