//! How many requests of one caller, or of one namespace, are answered at once: one crowd does not take the places of all others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Requests that are being answered, by whom they belong to.
#[derive(Debug, Clone, Default)]
pub struct Crowd(Arc<Mutex<HashMap<String, usize>>>);

/// The place of one request; given back with its value.
#[derive(Debug)]
pub struct Place {
    crowd: Crowd,
    name: String,
}

impl Crowd {
    /// A place for one more request of `name`; None: it has `most` already.
    #[must_use]
    pub fn enter(&self, name: &str, most: usize) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(name).copied().unwrap_or_default();
        if count >= most {
            return None;
        }
        counts.insert(name.to_owned(), count.saturating_add(1));
        Some(Place { crowd: self.clone(), name: name.to_owned() })
    }

    fn leave(&self, name: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(name) {
            Some(count) if *count > 1 => *count = count.saturating_sub(1),
            // so that no more names are held than there are requests
            _ => drop(counts.remove(name)),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.leave(&self.name);
    }
}

/// Whom an address belongs to: itself, or with IPv6 its network, of which one caller has all addresses.
#[must_use]
pub fn caller(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_so_many_places_and_gives_them_back() {
        let crowd = Crowd::default();
        let held: Vec<Place> = (0..3).map(|_| crowd.enter("a", 3).unwrap()).collect();
        assert!(crowd.enter("a", 3).is_none() && crowd.enter("a", 4).is_some() && crowd.enter("b", 1).is_some());
        drop(held);
        assert!(crowd.enter("a", 1).is_some());
        assert!(crowd.0.lock().unwrap().is_empty(), "nobody who left is remembered");
    }

    #[test]
    fn a_network_of_ipv6_is_one_caller() {
        let of = |text: &str| caller(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::4"), of("2001:db8:1:3::4"));
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }
}
