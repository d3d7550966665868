//! What planted faults do to messages on their way into and out of the core.

use std::collections::HashMap;

use crate::plant::Fault;

/// Does this fault make a message vanish?
pub fn swallows(fault: Fault, bytes: &[u8]) -> bool {
    match fault {
        Fault::NoCancel => bytes.starts_with(b"CANCEL "),
        // A forwarded ACK has two Via values, one that the core made itself has one.
        Fault::LostAck => bytes.starts_with(b"ACK ") && count(bytes, b"\r\nVia: ") > 1,
        _ => false,
    }
}

/// A forwarded request within a dialog?
pub fn is_in_dialog(bytes: &[u8]) -> bool {
    !bytes.starts_with(b"SIP/2.0 ") && !bytes.starts_with(b"CANCEL ") && {
        let text = String::from_utf8_lossy(bytes);
        count(bytes, b"\r\nVia: ") > 1 && text.lines().any(|line| line.starts_with("To:") && line.contains(";tag="))
    }
}

/// An INVITE that has been here before gets a branch of its own: an `r` and its number behind the old one.
pub fn repeated(bytes: &[u8], reached: &mut HashMap<Vec<u8>, u32>) -> Vec<u8> {
    let Some(end) = branch_end(bytes).filter(|_| bytes.starts_with(b"INVITE ")) else { return bytes.to_vec() };
    let times = reached.entry(bytes[..end].to_vec()).or_default();
    *times += 1;
    if *times == 1 {
        return bytes.to_vec();
    }
    [&bytes[..end], format!("r{times}").as_bytes(), &bytes[end..]].concat()
}

/// Takes the addition off again, so that the endpoint knows its branch.
pub fn restore(bytes: &mut Vec<u8>) {
    let Some(end) = branch_end(bytes).filter(|_| bytes.starts_with(b"SIP/2.0 ")) else { return };
    let digits = bytes[..end].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let at = end - digits;
    if digits > 0 && bytes[at - 1] == b'r' {
        bytes.drain(at - 1..end);
    }
}

/// Where the value of the first branch ends.
fn branch_end(bytes: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"branch=";
    let start = bytes.windows(NAME.len()).position(|window| window == NAME)? + NAME.len();
    let length = bytes[start..].iter().position(|byte| matches!(byte, b';' | b'\r' | b','))?;
    Some(start + length)
}

fn count(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).filter(|window| *window == part).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mangled_branch_is_restored() {
        let invite = b"INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;rport;branch=z9hG4bKd1x7\r\n\r\n";
        let mut reached = HashMap::new();
        assert_eq!(repeated(invite, &mut reached), invite);
        let again = repeated(invite, &mut reached);
        assert!(String::from_utf8_lossy(&again).contains("d1x7r2\r\n"));
        let mut answer = [b"SIP/2.0 200 OK", &again[20..]].concat();
        restore(&mut answer);
        assert!(String::from_utf8_lossy(&answer).contains("d1x7\r\n"));
    }
}
