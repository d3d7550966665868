//! Flow tokens (RFC 5626 §5.1 and §5.3): opaque flow bytes under a MAC.

use crate::keyed::{Mac, SecretKey, base64, same};

/// Bytes that name a flow, at most.
pub const MAX_FLOW: usize = 24;

const MAC_LEN: usize = 10;

/// The bytes of one flow, opaque here: the transport made them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct FlowBytes {
    len: u8,
    bytes: [u8; MAX_FLOW],
}

impl FlowBytes {
    /// `None` when there are more than [`MAX_FLOW`].
    #[must_use]
    pub fn new(flow: &[u8]) -> Option<FlowBytes> {
        let mut bytes = [0; MAX_FLOW];
        bytes.get_mut(..flow.len())?.copy_from_slice(flow);
        Some(FlowBytes { len: flow.len() as u8, bytes })
    }
}

impl std::ops::Deref for FlowBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Writes and reads flow tokens, as the user part of Path and Route values: a stranger can
/// neither read where a token leads by forging one, nor send down somebody's connection.
pub struct FlowTokens {
    mac: Mac,
}

impl FlowTokens {
    /// All nodes that must read each other's tokens share the key.
    #[must_use]
    pub fn new(key: &SecretKey) -> FlowTokens {
        FlowTokens { mac: Mac::new(&key.derive("flow token")) }
    }

    /// Adds a flow's token to `out`, or nothing for more than [`MAX_FLOW`] bytes.
    pub fn encode(&self, flow: &[u8], out: &mut Vec<u8>) {
        let Some(flow) = FlowBytes::new(flow) else { return };
        let tag: [u8; MAC_LEN] = self.mac.short([&*flow]);
        let mut bytes = [0; MAC_LEN + MAX_FLOW];
        bytes[..MAC_LEN].copy_from_slice(&tag);
        bytes[MAC_LEN..MAC_LEN + flow.len()].copy_from_slice(&flow);
        base64::encode(&bytes[..MAC_LEN + flow.len()], out);
    }

    /// The flow of a token; `None` when we did not make it (RFC 5626 §5.3: answer 403).
    #[must_use]
    pub fn decode(&self, token: &[u8]) -> Option<FlowBytes> {
        let mut out = [0; MAC_LEN + MAX_FLOW];
        let (tag, flow) = base64::decode(token, &mut out)?.split_at_checked(MAC_LEN)?;
        let want: [u8; MAC_LEN] = self.mac.short([flow]);
        same(tag, &want).then(|| FlowBytes::new(flow)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_of_every_length_come_back() {
        let tokens = FlowTokens::new(&SecretKey([3; 32]));
        for len in 0..=MAX_FLOW {
            let flow: Vec<u8> = (0..len as u8).collect();
            let mut token = Vec::new();
            tokens.encode(&flow, &mut token);
            assert_eq!(tokens.decode(&token).as_deref(), Some(&flow[..]));
        }
        let mut token = Vec::new();
        tokens.encode(&[0; MAX_FLOW + 1], &mut token);
        assert!(token.is_empty());
    }

    #[test]
    fn no_letter_can_be_changed() {
        let tokens = FlowTokens::new(&SecretKey([3; 32]));
        let mut token = Vec::new();
        tokens.encode(b"flow", &mut token);
        for at in 0..token.len() {
            let mut bad = token.clone();
            bad[at] = if bad[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(tokens.decode(&bad), None);
        }
        assert_eq!(FlowTokens::new(&SecretKey([4; 32])).decode(&token), None);
        assert_eq!(tokens.decode(b""), None);
    }
}
