//! Cutting a byte stream into lines.

/// Collects bytes as they arrive and gives them out line by line.
///
/// Several lines in one piece and one line over many pieces are both usual. Empty lines vanish.
///
/// ```
/// use p2pool_stratum::LineBuffer;
///
/// let mut lines = LineBuffer::new(100);
/// lines.push(b"{\"id\":1}\r\n\n{\"id\"");
/// assert_eq!(lines.next_line(), Ok(Some(b"{\"id\":1}".to_vec())));
/// assert_eq!(lines.next_line(), Ok(None));
/// lines.push(b":2}\n");
/// assert_eq!(lines.next_line(), Ok(Some(b"{\"id\":2}".to_vec())));
/// ```
#[derive(Debug)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// Where the next line starts.
    start: usize,
    /// No line end lies before this place.
    searched: usize,
    bytes_max: usize,
}

/// A line, finished or not, grew over the limit: the connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a line longer than {bytes_max} bytes")]
pub struct LineTooLong {
    /// Longest line allowed.
    pub bytes_max: usize,
}

impl LineBuffer {
    /// An empty buffer for lines of at most `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, searched: 0, bytes_max }
    }

    /// Adds what arrived. Call [`next_line`](Self::next_line) until it gives nothing.
    pub fn push(&mut self, bytes: &[u8]) {
        self.room().extend_from_slice(bytes);
    }

    /// Where more bytes are to be appended, for reading without a copy.
    pub fn room(&mut self) -> &mut Vec<u8> {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        &mut self.bytes
    }

    /// Takes the next whole line without blanks around it.
    ///
    /// # Errors
    /// The next line is longer than allowed, even if its end has not arrived.
    pub fn next_line(&mut self) -> Result<Option<Vec<u8>>, LineTooLong> {
        Ok(self.next_borrowed()?.map(<[u8]>::to_vec))
    }

    /// Takes the next whole line as [`next_line`](Self::next_line) does, where it lies.
    ///
    /// # Errors
    /// As for `next_line`.
    pub fn next_borrowed(&mut self) -> Result<Option<&[u8]>, LineTooLong> {
        let (start, end) = loop {
            let rest = self.bytes.get(self.searched..).unwrap_or_default();
            let Some(distance) = rest.iter().position(|byte| *byte == b'\n') else {
                self.searched = self.bytes.len();
                return self.checked(self.bytes.len()).map(|_| None);
            };
            let end = self.searched + distance;
            let is_empty = self.checked(end)?.trim_ascii().is_empty();
            let start = self.start;
            self.start = end + 1;
            self.searched = end + 1;
            if !is_empty {
                break (start, end);
            }
        };
        Ok(self.bytes.get(start..end).map(<[u8]>::trim_ascii))
    }

    /// Gives memory back while no line has begun: most connections are silent most of the time.
    pub fn rest(&mut self) {
        if !self.has_partial_line() {
            (self.bytes, self.start, self.searched) = (Vec::new(), 0, 0);
        }
    }

    /// Whether a line has begun and not ended.
    pub fn has_partial_line(&self) -> bool {
        self.start < self.bytes.len()
    }

    fn checked(&self, end: usize) -> Result<&[u8], LineTooLong> {
        self.bytes
            .get(self.start..end)
            .filter(|line| line.len() <= self.bytes_max)
            .ok_or(LineTooLong { bytes_max: self.bytes_max })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_over_the_limit_is_refused_before_its_end_arrives() {
        let mut lines = LineBuffer::new(4);
        lines.push(b"abcd");
        assert_eq!(lines.next_line(), Ok(None));
        assert!(lines.has_partial_line());
        lines.push(b"e");
        assert_eq!(lines.next_line(), Err(LineTooLong { bytes_max: 4 }));
        assert_eq!(lines.next_line(), Err(LineTooLong { bytes_max: 4 }));
    }

    proptest! {
        #[test]
        fn cutting_does_not_depend_on_the_pieces(
            text in "[a\n\r ]{0,80}",
            cuts in prop::collection::vec(0_usize..10, 0..40),
        ) {
            let expected: Vec<Vec<u8>> = text
                .as_bytes()
                .split_inclusive(|byte| *byte == b'\n')
                .filter(|line| line.ends_with(b"\n"))
                .map(|line| line.trim_ascii().to_vec())
                .filter(|line| !line.is_empty())
                .collect();
            let mut lines = LineBuffer::new(100);
            let mut got = Vec::new();
            let mut rest = text.as_bytes();
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                rest = after;
                lines.push(piece);
                while let Some(line) = lines.next_line().unwrap() {
                    got.push(line);
                }
            }
            prop_assert_eq!(got, expected);
        }
    }
}
