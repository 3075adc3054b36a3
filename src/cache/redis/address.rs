//! Addresses of servers. A password is in none of what is printed.

use std::fmt;
use std::str::FromStr;

const PORT: u16 = 6_379;

/// Where a server is, and who asks.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) place: Place,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: u32,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Tcp { host: String, port: u16 },
    Unix(String),
}

/// Not an address of a server. Says what is wrong without repeating it, since passwords stand in addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE] or redis+unix:///PATH")]
pub struct MalformedAddress(&'static str);

impl FromStr for Address {
    type Err = MalformedAddress;

    fn from_str(text: &str) -> Result<Self, MalformedAddress> {
        let (scheme, rest) = text.split_once("://").ok_or(MalformedAddress("the address of the Redis server has no scheme"))?;
        match scheme {
            "redis" | "valkey" => tcp(rest),
            "redis+unix" | "valkey+unix" | "unix" if rest.starts_with('/') => {
                Ok(Self { place: Place::Unix(rest.to_owned()), user: None, password: None, database: 0 })
            }
            "rediss" | "valkeys" => {
                Err(MalformedAddress("TLS to a Redis server is not built in: put a TLS proxy beside plimsoll"))
            }
            _ => Err(MalformedAddress("the scheme of the Redis server's address is not known")),
        }
    }
}

fn tcp(rest: &str) -> Result<Address, MalformedAddress> {
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (account, server) = authority.rsplit_once('@').map_or((None, authority), |(account, server)| (Some(account), server));
    let (user, password) = match account {
        Some(account) => {
            let (user, password) = account.split_once(':').unwrap_or(("", account));
            (Some(user).filter(|user| !user.is_empty()), Some(password))
        }
        None => (None, None),
    };
    let (host, port) = if let Some(bracketed) = server.strip_prefix('[') {
        let (host, port) = bracketed.split_once(']').ok_or(MalformedAddress("a bracket is not closed"))?;
        (host, port.strip_prefix(':'))
    } else {
        server.rsplit_once(':').map_or((server, None), |(host, port)| (host, Some(port)))
    };
    if host.is_empty() {
        return Err(MalformedAddress("the address of the Redis server has no host"));
    }
    let port = port.map_or(Ok(PORT), str::parse).map_err(|_| MalformedAddress("the port is no number"))?;
    let database = if database.is_empty() { Ok(0) } else { database.parse() };
    Ok(Address {
        place: Place::Tcp { host: host.to_owned(), port },
        user: user.map(decoded),
        password: password.map(decoded),
        database: database.map_err(|_| MalformedAddress("the database is no number"))?,
    })
}

/// Percent-encoding undone; what is no encoding stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "(hidden)");
        formatter
            .debug_struct("Address")
            .field("place", &self.place)
            .field("user", &self.user)
            .field("password", &password)
            .field("database", &self.database)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let full: Address = "redis://me:p%40ss%2f@cache.example:7000/3".parse().unwrap();
        assert_eq!(full.place, Place::Tcp { host: "cache.example".into(), port: 7000 });
        assert_eq!((full.user.as_deref(), full.password.as_deref(), full.database), (Some("me"), Some("p@ss/"), 3));
        let short: Address = "valkey://[::1]".parse().unwrap();
        assert_eq!(short.place, Place::Tcp { host: "::1".into(), port: 6379 });
        assert_eq!((short.user, short.password, short.database), (None, None, 0));
        let password: Address = "redis://:secret@host".parse().unwrap();
        assert_eq!((password.user, password.password.as_deref()), (None, Some("secret")));
        assert_eq!("redis+unix:///run/r.sock".parse::<Address>().unwrap().place, Place::Unix("/run/r.sock".into()));
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for text in [
            "host:1",
            "http://:secret@host",
            "rediss://:secret@host",
            "redis://:secret@",
            "redis://:secret@host:x",
            "redis://:secret@host/x",
            "redis://:secret@[::1",
            "unix://relative/secret",
        ] {
            let refused = text.parse::<Address>().unwrap_err().to_string();
            assert!(!refused.contains("secret") && refused.contains("write redis://"), "{refused}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let address: Address = "redis://me:secret@host".parse().unwrap();
        assert!(!format!("{address:?}").contains("secret"));
    }
}
