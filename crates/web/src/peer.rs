//! Who is at the other end of a connection; put into every request by the listener that accepted it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// The other end of the connection a request came on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Over the network, with TLS or without.
    Remote {
        /// The other end.
        remote: SocketAddr,
        /// Our end.
        local: SocketAddr,
        /// Whether TLS protects it.
        secure: bool,
    },
    /// Through the local socket, by a process the kernel vouches for.
    Local {
        /// Name of its user.
        user: Arc<str>,
        /// Whether that user may administer: root, or the user the server runs as.
        trusted: bool,
    },
}

impl Peer {
    /// The address that failures are counted for.
    pub fn source(&self) -> IpAddr {
        match self {
            Peer::Remote { remote, .. } => remote.ip(),
            Peer::Local { .. } => IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }
}

/// Name of a user by number, from `/etc/passwd`; the number itself when it has none.
pub(crate) fn user_name(uid: u32) -> Arc<str> {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_in(&passwd, uid).unwrap_or_else(|| uid.to_string().into())
}

fn name_in(passwd: &str, uid: u32) -> Option<Arc<str>> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid)).then(|| name.into())
    })
}

/// One household has a /64 of IPv6 addresses.
pub(crate) fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn users_have_the_name_of_the_password_file() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nlyceum:x:998:998::/:/usr/sbin/nologin\n";
        assert_eq!(name_in(passwd, 0).as_deref(), Some("root"));
        assert_eq!(name_in(passwd, 998).as_deref(), Some("lyceum"));
        assert_eq!(name_in(passwd, 1000), None);
    }
}
