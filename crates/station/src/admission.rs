//! Who may send: pure.
//!
//! An AE title is a claim that anybody can make, so that a sender is known by its address and, with TLS, by its
//! certificate too, as far as the manifest states them.

use std::net::IpAddr;

use snafu::{OptionExt, Snafu, ensure};

use attrium_api::Sender;

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("{text} is no address: use 10.1.2.3, or 10.1.2.0/28 for a range"))]
pub struct NotANetwork {
    text: String,
}

impl Network {
    /// An address, or an address with the number of bits that count.
    ///
    /// # Errors
    /// Another text, and bits beyond those of the address.
    pub fn parse(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok().context(NotANetworkSnafu { text })?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().ok().context(NotANetworkSnafu { text })?,
            None => most,
        };
        ensure!(prefix <= most, NotANetworkSnafu { text });
        Ok(Self {
            address: address.to_canonical(),
            prefix,
        })
    }

    /// Whether an address is in the range; an IPv4 address that came by IPv6 is one of IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(of), IpAddr::V4(it)) => {
                let unimportant = 32 - u32::from(self.prefix.min(32));
                let part = |it: u32| it.checked_shr(unimportant).unwrap_or(0);
                part(of.to_bits()) == part(it.to_bits())
            }
            (IpAddr::V6(of), IpAddr::V6(it)) => {
                let unimportant = 128 - u32::from(self.prefix.min(128));
                let part = |it: u128| it.checked_shr(unimportant).unwrap_or(0);
                part(of.to_bits()) == part(it.to_bits())
            }
            _ => false,
        }
    }
}

/// Who asks to be let in.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The AE title that it calls itself.
    pub ae_title: &'a str,
    /// Where it is.
    pub address: IpAddr,
    /// `sha256:` and the digest of the certificate that it shows, if it shows one.
    pub certificate: Option<&'a str>,
}

/// Why somebody may not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// No sender has this AE title.
    AeTitle,
    /// The sender of this AE title has other addresses.
    Address,
    /// The sender of this AE title has another certificate.
    Certificate,
}

impl Stranger {
    /// A short stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AeTitle => "ae-title",
            Self::Address => "address",
            Self::Certificate => "certificate",
        }
    }

    /// Why, and what to do about it, for whoever looks after the station.
    pub fn sentence(self, caller: &Caller<'_>) -> String {
        let Caller {
            ae_title, address, ..
        } = caller;
        let shown = ae_title.escape_debug();
        match self {
            Self::AeTitle => format!(
                "{shown} at {address} is no sender: if it should be, add {{aeTitle: \"{shown}\", addresses: \
                 [{address}]}} to listener.senders"
            ),
            Self::Address => format!(
                "{shown} has called from {address}, which is none of its addresses: add it to the sender's addresses, \
                 or look who uses its name"
            ),
            Self::Certificate => format!(
                "{shown} at {address} has shown another certificate than its own, or none: state the new one's digest \
                 as the sender's certificate, or look who uses its name"
            ),
        }
    }
}

/// Who may send, ready to be asked.
#[derive(Clone, Debug)]
pub struct Senders {
    senders: Vec<Known>,
}

#[derive(Clone, Debug)]
struct Known {
    ae_title: String,
    networks: Vec<Network>,
    certificate: Option<String>,
}

impl Senders {
    /// The senders of a manifest.
    ///
    /// # Errors
    /// An address that is none.
    pub fn new(senders: &[Sender]) -> Result<Self, NotANetwork> {
        let known = |sender: &Sender| {
            let networks = sender.addresses.iter().map(|text| Network::parse(text));
            Ok(Known {
                ae_title: sender.ae_title.clone(),
                networks: networks.collect::<Result<_, _>>()?,
                certificate: sender.certificate.clone(),
            })
        };
        let senders = senders.iter().map(known).collect::<Result<_, _>>()?;
        Ok(Self { senders })
    }

    /// Whether a caller may send; several senders may have one AE title.
    ///
    /// # Errors
    /// Why it may not.
    pub fn admit(&self, caller: &Caller<'_>) -> Result<(), Stranger> {
        let mut reason = Stranger::AeTitle;
        for sender in &self.senders {
            if sender.ae_title != caller.ae_title {
                continue;
            }
            match sender.admit(caller) {
                Ok(()) => return Ok(()),
                Err(Stranger::Certificate) => reason = Stranger::Certificate,
                Err(_) if reason == Stranger::AeTitle => reason = Stranger::Address,
                Err(_) => {}
            }
        }
        Err(reason)
    }
}

impl Known {
    fn admit(&self, caller: &Caller<'_>) -> Result<(), Stranger> {
        let mut networks = self.networks.iter();
        let is_there = networks.any(|network| network.contains(caller.address));
        if !self.networks.is_empty() && !is_there {
            return Err(Stranger::Address);
        }
        match &self.certificate {
            Some(certificate) if caller.certificate != Some(certificate) => {
                Err(Stranger::Certificate)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_range_holds_its_addresses_and_no_others() {
        let table = [
            ("10.1.2.0/28", "10.1.2.15", true),
            ("10.1.2.0/28", "10.1.2.16", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("0.0.0.0/0", "192.168.7.7", true),
            ("0.0.0.0/0", "fd00::1", false),
            ("10.1.2.3", "::ffff:10.1.2.3", true),
            ("::ffff:10.1.2.3", "10.1.2.3", true),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe00::1", false),
            ("::/0", "fe00::1", true),
            ("fd00::1", "fd00::1", true),
        ];
        for (network, address, expected) in table {
            let network = Network::parse(network).expect("a range");
            assert_eq!(
                network.contains(ip(address)),
                expected,
                "{network:?} {address}"
            );
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "10.1.2",
            "10.1.2.3/33",
            "10.1.2.3/",
            "10.1.2.3/-1",
            "::/129",
            "pacs",
        ] {
            let error = Network::parse(text).expect_err("should be none");
            assert!(error.to_string().contains("is no address"), "{error}");
        }
    }

    fn senders() -> Senders {
        let sender = |ae_title: &str, address: &str, certificate: Option<&str>| Sender {
            ae_title: ae_title.to_owned(),
            addresses: vec![address.to_owned()],
            certificate: certificate.map(str::to_owned),
        };
        let open = Sender {
            ae_title: "OPEN".to_owned(),
            addresses: Vec::new(),
            certificate: None,
        };
        Senders::new(&[
            sender("SYMBIA1", "10.1.2.0/28", None),
            sender("SYMBIA1", "10.9.9.9", Some("sha256:1")),
            open,
        ])
        .expect("senders")
    }

    #[test]
    fn a_sender_is_known_by_name_address_and_certificate() {
        let senders = senders();
        let admit = |ae_title, address, certificate| {
            senders.admit(&Caller {
                ae_title,
                address: ip(address),
                certificate,
            })
        };
        assert_eq!(admit("SYMBIA1", "10.1.2.7", None), Ok(()));
        assert_eq!(admit("SYMBIA1", "10.9.9.9", Some("sha256:1")), Ok(()));
        assert_eq!(admit("OPEN", "192.0.2.1", None), Ok(()));
        assert_eq!(admit("symbia1", "10.1.2.7", None), Err(Stranger::AeTitle));
        assert_eq!(admit("OTHER", "10.1.2.7", None), Err(Stranger::AeTitle));
        assert_eq!(admit("SYMBIA1", "10.1.3.7", None), Err(Stranger::Address));
        for certificate in [None, Some("sha256:2")] {
            let admitted = admit("SYMBIA1", "10.9.9.9", certificate);
            assert_eq!(admitted, Err(Stranger::Certificate));
        }
    }

    #[test]
    fn whoever_may_not_send_is_told_of_with_what_to_add() {
        let caller = Caller {
            ae_title: "NEW\u{1b}",
            address: ip("10.1.2.3"),
            certificate: None,
        };
        let sentence = Stranger::AeTitle.sentence(&caller);
        assert!(sentence.contains("addresses: [10.1.2.3]"), "{sentence}");
        assert!(!sentence.contains('\u{1b}'), "{sentence}");
    }
}
