//! What is demanded of a bundle before any of it is used.

use snafu::ensure;

use super::error::{Error, NobodyTrustedSnafu, OtherDigestSnafu, UnsignedSnafu};
use super::signature::{Signature, ids};
use super::{Approval, Checksums, PublicKey};

/// What is demanded of a bundle before any of it is used.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// The digest that it has to have; any will do where absent.
    pub digest: Option<String>,
    /// Whose signatures are demanded.
    pub signatures: SignaturePolicy,
}

/// Whose signatures are demanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignaturePolicy {
    /// The keys that are trusted. With any of them a signature that is there has to be by one of them.
    pub trusted: Vec<PublicKey>,
    /// Whether a signature has to be there.
    pub required: bool,
}

impl SignaturePolicy {
    /// Whether anybody has to look for a signature.
    pub fn looks_at_signatures(&self) -> bool {
        self.required || !self.trusted.is_empty()
    }
}

/// What a bundle has proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Its digest.
    pub digest: String,
    /// Who has approved it, where anybody is trusted to.
    pub approval: Option<Approval>,
}

impl Demands {
    /// Judges a bundle by its `SHA256SUMS`, which stands for all of it, and by the signature of that, if
    /// there is one.
    ///
    /// # Errors
    /// What it fails in, and a file of checksums that cannot be read.
    pub fn check(&self, checksums: &[u8], signature: Option<&[u8]>) -> Result<Proof, Error> {
        let found = Checksums::parse(checksums)?.digest();
        if let Some(expected) = &self.digest {
            ensure!(found == *expected, OtherDigestSnafu { found, expected });
        }
        let SignaturePolicy { trusted, required } = &self.signatures;
        ensure!(!required || !trusted.is_empty(), NobodyTrustedSnafu);
        let signature = signature.filter(|_| !trusted.is_empty());
        let has_to_be_there = *required && signature.is_none();
        ensure!(
            !has_to_be_there,
            UnsignedSnafu {
                trusted: ids(trusted)
            }
        );
        let approval = signature.map(|file| Signature::parse(file)?.verify(checksums, trusted));
        Ok(Proof {
            digest: found,
            approval: approval.transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    fn checksums() -> Checksums {
        Checksums::of([("bundle.json", b"{}".as_slice())])
    }

    fn check(demands: &Demands, signature: Option<&str>) -> Result<Proof, Error> {
        let text = checksums().to_text();
        demands.check(text.as_bytes(), signature.map(str::as_bytes))
    }

    #[test]
    fn another_digest_is_refused_in_a_sentence_that_names_both() {
        let digest = checksums().digest();
        let with = |digest: Option<String>| {
            let demands = Demands {
                digest,
                ..Demands::default()
            };
            check(&demands, None)
        };
        assert_eq!(with(None).unwrap().digest, digest);
        assert_eq!(with(Some(digest.clone())).unwrap().digest, digest);
        let other = format!("sha256:{}", "0".repeat(64));
        let message = with(Some(other.clone())).unwrap_err().to_string();
        assert!(
            message.contains(&digest) && message.contains(&other),
            "{message}"
        );
    }

    /// A key, and what it signs of a text.
    fn signer(text: &str) -> (PublicKey, String) {
        let key = SigningKey::unprotected();
        let signature = key.sign(text.as_bytes(), "approved").unwrap();
        (key.public().unwrap(), signature)
    }

    #[test]
    fn a_signature_is_judged_by_the_keys_that_are_trusted_and_missed_where_it_is_required() {
        let (key, signature) = signer(&checksums().to_text());
        let (other, foreign) = signer(&checksums().to_text());
        let (of_this_key, by_key) = (vec![key.clone()], Some(signature.as_str()));
        let both = vec![other, key.clone()];
        let of_another_bundle = {
            let key = SigningKey::unprotected();
            let signature = key.sign(b"other", "approved").unwrap();
            (vec![key.public().unwrap()], signature)
        };
        let judge = |trusted: &[PublicKey], required, signature: Option<&str>| {
            let demands = Demands {
                digest: None,
                signatures: SignaturePolicy {
                    trusted: trusted.to_vec(),
                    required,
                },
            };
            match check(&demands, signature) {
                Ok(proof) => proof.approval.map_or("unsigned", |it| {
                    assert_eq!((it.key, it.comment.as_str()), (key.id(), "approved"));
                    "approved"
                }),
                Err(Error::NobodyTrusted) => "nobody",
                Err(Error::Unsigned { .. }) => "missing",
                Err(Error::Untrusted { .. }) => "untrusted",
                Err(Error::Forged { .. }) => "forged",
                Err(Error::UnreadableSignature) => "unreadable",
                Err(error) => panic!("{error}"),
            }
        };
        for required in [false, true] {
            assert_eq!(judge(&of_this_key, required, by_key), "approved");
            assert_eq!(judge(&both, required, by_key), "approved");
            assert_eq!(judge(&of_this_key, required, Some(&foreign)), "untrusted");
            assert_eq!(judge(&of_this_key, required, Some("x")), "unreadable");
            let (trusted, signature) = &of_another_bundle;
            assert_eq!(judge(trusted, required, Some(signature)), "forged");
        }
        assert_eq!(judge(&of_this_key, false, None), "unsigned");
        assert_eq!(judge(&of_this_key, true, None), "missing");
        // Nobody is asked what a signature is worth.
        assert_eq!(judge(&[], false, Some("x")), "unsigned");
        assert_eq!(judge(&[], true, by_key), "nobody");
    }

    #[test]
    fn who_could_sign_is_named() {
        let (key, _) = signer("");
        let demands = Demands {
            digest: None,
            signatures: SignaturePolicy {
                trusted: vec![key.clone()],
                required: true,
            },
        };
        let message = check(&demands, None).unwrap_err().to_string();
        assert!(message.contains(&key.id().to_string()), "{message}");
        assert!(message.contains("attrium sign"), "{message}");
    }
}
