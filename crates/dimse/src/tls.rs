//! Configurations of secure transport (PS3.15, annex B: BCP 195), out of PEM.
//!
//! TLS 1.2 and 1.3 with what rustls takes for safe, by aws-lc-rs, which is passed on and never installed for the
//! process. Never: a key in an error.

use std::fmt::Write as _;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};
use snafu::{ResultExt, Snafu, ensure};

/// A certificate and its key, as PEM.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    /// The certificate, and then those that it is signed by.
    pub certificate_chain: &'a [u8],
    /// Its private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: &'a [u8],
}

/// Which clients may connect.
#[derive(Clone, Copy)]
pub enum Clients<'a> {
    /// Anyone; no certificate is asked for.
    Anyone,
    /// Anyone, but a certificate that is shown has to be of these authorities (PEM).
    Optional(&'a [u8]),
    /// Those with a certificate of these authorities (PEM).
    Required(&'a [u8]),
}

/// Why there is no configuration.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub enum Error {
    /// Something is no PEM, or does not hold what it has to.
    #[snafu(display("the {what} cannot be read as PEM"))]
    Pem {
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        source: rustls::pki_types::pem::Error,
    },
    /// There is no certificate in it.
    #[snafu(display("the {what} holds no certificate"))]
    Empty {
        /// What it should be.
        what: &'static str,
    },
    /// A certificate of an authority is none, or none can be trusted.
    #[snafu(display("a certificate of the {what} cannot be used"))]
    Authority {
        /// Which authorities.
        what: &'static str,
        /// What is wrong.
        source: rustls::Error,
    },
    /// Certificates of clients cannot be verified by these authorities.
    #[snafu(display("the client authorities cannot be used"))]
    Verifier {
        /// What is wrong.
        source: rustls::server::VerifierBuilderError,
    },
    /// The certificate and the key do not belong together, or cannot be used.
    #[snafu(display("the certificate and its key cannot be used together"))]
    Identity {
        /// What is wrong.
        source: rustls::Error,
    },
}

/// The configuration of a listener.
///
/// # Errors
/// An [`Error`] that says which of the parts cannot be used.
pub fn server(identity: Identity<'_>, clients: Clients<'_>) -> Result<Arc<ServerConfig>, Error> {
    let builder = ServerConfig::builder_with_provider(provider());
    let builder = builder
        .with_safe_default_protocol_versions()
        .context(IdentitySnafu)?;
    let builder = match verifier(clients)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let (chain, key) = read(identity)?;
    let config = builder.with_single_cert(chain, key);
    Ok(Arc::new(config.context(IdentitySnafu)?))
}

/// The configuration of a storage user, which trusts the authorities of a bundle and shows a certificate where it has
/// one.
///
/// # Errors
/// An [`Error`] that says which of the parts cannot be used.
pub fn client(
    authorities: &[u8],
    identity: Option<Identity<'_>>,
) -> Result<Arc<ClientConfig>, Error> {
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder
        .with_safe_default_protocol_versions()
        .context(IdentitySnafu)?
        .with_root_certificates(roots(authorities, "bundle of authorities")?);
    let config = match identity {
        Some(identity) => {
            let (chain, key) = read(identity)?;
            let config = builder.with_client_auth_cert(chain, key);
            config.context(IdentitySnafu)?
        }
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

/// `sha256:` and the digest of a certificate (DER) in hexadecimal, as [`Peer`](crate::Peer) has it.
pub fn digest(certificate: &[u8]) -> String {
    let mut text = String::from("sha256:");
    // Writing to a string does not fail.
    let _ = write!(text, "{}", hex::encode(Sha256::digest(certificate)));
    text
}

/// The digest of the first certificate of a PEM, to be compared with a peer's.
///
/// # Errors
/// [`Error::Pem`] where there is none.
pub fn digest_of_pem(certificate: &[u8]) -> Result<String, Error> {
    let what = "certificate";
    let der = CertificateDer::from_pem_slice(certificate).context(PemSnafu { what })?;
    Ok(digest(&der))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What verifies clients, where they are to be.
fn verifier(clients: Clients<'_>) -> Result<Option<Arc<dyn ClientCertVerifier>>, Error> {
    let what = "client authorities";
    let (authorities, is_required) = match clients {
        Clients::Anyone => return Ok(None),
        Clients::Optional(authorities) => (authorities, false),
        Clients::Required(authorities) => (authorities, true),
    };
    let roots = Arc::new(roots(authorities, what)?);
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
    let builder = match is_required {
        true => builder,
        false => builder.allow_unauthenticated(),
    };
    Ok(Some(builder.build().context(VerifierSnafu)?))
}

/// The authorities of a PEM, every one of which has to be usable.
fn roots(pem: &[u8], what: &'static str) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem, what)? {
        roots.add(certificate).context(AuthoritySnafu { what })?;
    }
    Ok(roots)
}

/// A certificate with its chain, and its key.
fn read(
    identity: Identity<'_>,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    let chain = certificates(identity.certificate_chain, "certificate chain")?;
    let what = "private key";
    let key = PrivateKeyDer::from_pem_slice(identity.key).context(PemSnafu { what })?;
    Ok((chain, key))
}

/// The certificates of a PEM, of which there has to be one.
fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .context(PemSnafu { what })?;
    ensure!(!certificates.is_empty(), EmptySnafu { what });
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_named_and_in_hexadecimal() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b""), empty);
    }

    #[test]
    fn what_holds_no_certificate_is_named() {
        let error = client(b"no PEM", None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the bundle of authorities holds no certificate"
        );
    }
}
