//! The protocol between nodes: messages, written and read, whole and damaged.

use p2pool_sharechain::Params;
use p2pool_wire::Message;
use p2pool_wire::frame::{Decoder, Frame};

use crate::choices::Choices;
use crate::wire_choices::{greeting, message};
use crate::wire_frame::check_message;

/// Messages checked in one run.
const MESSAGES_MAX: usize = 50;

/// Reads its bytes as messages and what happens to them on the way.
///
/// # Panics
/// Where a message changes by being written and read, or a damaged one is read as something that
/// cannot be written again.
pub fn wire_message(data: &[u8]) {
    let prefix = Params::mainnet().prefix;
    let mut choices = Choices::new(data);
    for _ in 0..MESSAGES_MAX {
        if choices.is_empty() {
            break;
        }
        let message = match choices.u8() & 0x0f {
            0 => Message::Version(greeting(&mut choices, 7)),
            _ => message(&mut choices),
        };
        let written = message.encode(prefix).expect("small messages fit into frames");
        let mut frame = read(&written, prefix);
        assert_eq!(Message::decode(frame.clone()).as_ref(), Ok(&message));
        damage(&mut choices, &mut frame);
        check_message(frame, prefix);
    }
}

fn read(written: &[u8], prefix: [u8; 8]) -> Frame {
    let mut rest = written;
    let frame = Decoder::new(prefix).decode(&mut rest).expect("own frames are whole");
    assert!(rest.is_empty(), "nothing follows a frame");
    frame.expect("and complete")
}

/// Changes, inserts or cuts some bytes of a payload.
fn damage(choices: &mut Choices<'_>, frame: &mut Frame) {
    for _ in 0..choices.below(4) {
        let at = choices.below(frame.payload.len() + 1);
        match choices.below(4) {
            0 => frame.payload.truncate(at),
            1 => frame.payload.insert(at, choices.u8()),
            2 => {
                let count = choices.below(20);
                let bytes = choices.slice(count).to_vec();
                frame.payload.splice(at..at, bytes);
            }
            _ => {
                let byte = choices.u8();
                if let Some(place) = frame.payload.get_mut(at) {
                    *place = byte;
                }
            }
        }
    }
}
