//! Where a browser finds the server, on this machine and on others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use serve::Token;

/// The addresses of a server, each with a slash behind it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// For browsers on this machine.
    pub(crate) own: String,
    /// For browsers on any machine that reaches this one; none if it listens to itself only, or if no other machine
    /// is known to reach it.
    pub(crate) others: Option<String>,
}

impl Addresses {
    /// Those of a server that listens at `address`.
    pub(crate) fn new(address: SocketAddr, token: Option<&Token>) -> Self {
        let (ip, port) = (address.ip(), address.port());
        let path = token.map_or(String::new(), |token| format!("{}/", token.as_str()));
        let url = |ip| format!("http://{}/{path}", SocketAddr::new(ip, port));
        if ip.is_loopback() {
            return Self { own: url(ip), others: None };
        }
        if !ip.is_unspecified() {
            return Self { own: url(ip), others: Some(url(ip)) };
        }
        let own = match ip {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        Self { own: url(own), others: outward(ip).map(url) }
    }

    /// The one that most can use.
    pub(crate) fn widest(&self) -> &str {
        self.others.as_deref().unwrap_or(&self.own)
    }
}

/// The address from which this machine talks to others; none if it has no network.
fn outward(unspecified: IpAddr) -> Option<IpAddr> {
    // Addresses of documentation, which nobody has: they stand for any machine far away.
    let far = match unspecified {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    };
    let socket = UdpSocket::bind((unspecified, 0)).ok()?;
    // Looks for the way; nothing is sent.
    socket.connect((far, 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(address: &str) -> Addresses {
        Addresses::new(address.parse().unwrap(), None)
    }

    #[test]
    fn who_listens_to_itself_has_one_address() {
        let token: Token = "0123456789abcdef".parse().unwrap();
        let own = Addresses::new("127.0.0.1:9000".parse().unwrap(), Some(&token));
        assert_eq!(own.widest(), "http://127.0.0.1:9000/0123456789abcdef/");
        assert_eq!(own.others, None);
        assert_eq!(addresses("[::1]:9000").widest(), "http://[::1]:9000/");
    }

    #[test]
    fn who_listens_to_others_has_an_address_that_is_theirs() {
        let one = addresses("192.0.2.7:9000");
        assert_eq!((one.widest(), one.own.as_str()), ("http://192.0.2.7:9000/", one.widest()));
        for (all, own) in
            [("0.0.0.0:9000", "http://127.0.0.1:9000/"), ("[::]:9000", "http://[::1]:9000/")]
        {
            let addresses = addresses(all);
            assert_eq!(addresses.own, own);
            // A machine without a network has no other address.
            if let Some(others) = addresses.others {
                assert!(
                    !["127.0.0.1", "0.0.0.0", "[::1]", "[::]"].iter().any(|ip| others.contains(ip)),
                    "{others}"
                );
                assert!(others.ends_with(":9000/"), "{others}");
            }
        }
    }
}
