//! Bytes on their way to one peer, in order.

use std::collections::VecDeque;

/// Filled by the session, emptied by the socket.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    queue: VecDeque<Vec<u8>>,
    /// Bytes of the first piece that are gone already.
    gone: usize,
    len: usize,
}

impl Outgoing {
    pub(crate) fn push(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.len += bytes.len();
            self.queue.push_back(bytes);
        }
    }

    /// Bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What comes next; empty only if nothing waits.
    pub(crate) fn next(&self) -> &[u8] {
        self.queue.front().map_or(&[], |first| &first[self.gone..])
    }

    /// So many bytes of [`Self::next`] are gone.
    pub(crate) fn sent(&mut self, count: usize) {
        self.len -= count;
        self.gone += count;
        if self.queue.front().is_some_and(|first| first.len() == self.gone) {
            self.queue.pop_front();
            self.gone = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_order_in_pieces_of_any_size() {
        let mut outgoing = Outgoing::default();
        for piece in [&b"abc"[..], b"", b"de"] {
            outgoing.push(piece.to_vec());
        }
        let mut seen = Vec::new();
        while !outgoing.is_empty() {
            let next = outgoing.next();
            let count = next.len().min(2);
            seen.extend_from_slice(&next[..count]);
            outgoing.sent(count);
        }
        assert_eq!((seen, outgoing.len()), (b"abcde".to_vec(), 0));
    }
}
