//! Files of topic "peer-to-peer messages": each recorded frame is read, compared field by field,
//! and written again; each recorded stream of bytes gets the recorded reaction.

mod behaviour;
pub(crate) mod fields;

use p2pool_wire::frame::Decoder;
use p2pool_wire::message::Message;
use serde_json::Value;

/// Checks a whole file; `report` gets the name and the outcome of each case.
pub(crate) fn check(document: &Value, report: &mut dyn FnMut(&str, Result<(), String>)) {
    let network = &document["network"];
    for (number, case) in (1..).zip(list(&document["messages"])) {
        let name = format!("message {number}, {}", case["command"]);
        report(&name, check_message(network, case));
    }
    for case in list(&document["behaviour"]) {
        report(case["description"].as_str().unwrap_or_default(), behaviour::check(network, case));
    }
}

fn check_message(network: &Value, case: &Value) -> Result<(), String> {
    let prefix = prefix_of(network)?;
    let bytes = bytes(&case["frame"])?;
    let mut rest = &bytes[..];
    let frame = Decoder::new(prefix)
        .decode(&mut rest)
        .map_err(|error| error.to_string())?
        .ok_or("the frame is not complete")?;
    same("bytes left over", &0, &rest.len())?;
    same("command", &case["command"], &Value::from(frame.command.to_string()))?;
    same("payload", &case["payload"], &Value::from(fields::hex(&frame.payload)))?;
    let message = Message::decode(frame).map_err(|error| format!("{error}: {}", error.source))?;
    same("fields", &case["fields"], &fields::of(&message))?;
    let again = message.encode(prefix).map_err(|error| error.to_string())?;
    same("frame written again", &fields::hex(&bytes), &fields::hex(&again))
}

/// The network's prefix.
fn prefix_of(network: &Value) -> Result<[u8; 8], String> {
    bytes(&network["PREFIX"])?.try_into().map_err(|_| "PREFIX has not eight bytes".into())
}

/// The elements of a list, none of anything else.
fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Bytes written in hexadecimal digits.
fn bytes(value: &Value) -> Result<Vec<u8>, String> {
    let text = value.as_str().ok_or("not a text")?;
    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or("not a hexadecimal digit");
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?)
                .map_err(|_| "two digits make a byte".to_owned()),
            _ => Err("an odd number of digits".to_owned()),
        })
        .collect()
}

/// Fails unless both are equal.
fn same<T: PartialEq + core::fmt::Debug>(
    what: &str,
    expected: &T,
    actual: &T,
) -> Result<(), String> {
    if expected == actual {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected:?}, got {actual:?}"))
    }
}
