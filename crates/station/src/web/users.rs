//! Who may see the page, and what they may do there.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use snafu::{OptionExt, Snafu};

use super::{UserSnafu, WebError};

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// See studies and acknowledge them.
    Technician,
    /// Grade them too.
    Reader,
    /// Send results again too.
    Administrator,
}

/// A text that names no role.
#[derive(Debug, PartialEq, Eq, Snafu)]
#[snafu(display("use Technician, Reader or Administrator"))]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let roles = [Self::Technician, Self::Reader, Self::Administrator];
        let role = roles.into_iter().find(|role| role.to_string() == text);
        role.context(UnknownRoleSnafu)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Technician => "Technician",
            Self::Reader => "Reader",
            Self::Administrator => "Administrator",
        })
    }
}

/// A line of the users' file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLine {
    /// The user's name: letters, digits, `.`, `-` and `_`.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    digest: [u8; 32],
}

/// The line of a user with a token, for the file `users` of a secret; none where the name is none.
pub fn user_line(name: &str, role: Role, token: &str) -> Option<String> {
    is_name(name).then(|| format!("{name} {role} {}", hex::encode(Sha256::digest(token))))
}

fn is_name(name: &str) -> bool {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || ".-_".contains(it);
    (1..=64).contains(&name.len()) && name.chars().all(is_plain)
}

/// Those who may see the page.
#[derive(Clone, Debug)]
pub(crate) struct Users {
    lines: Vec<UserLine>,
}

impl Users {
    /// Reads the lines of a file; empty ones and those that begin with `#` are left out.
    ///
    /// # Errors
    /// [`WebError::User`] names the line that is none.
    pub(crate) fn parse(file: &[u8]) -> Result<Self, WebError> {
        let text = String::from_utf8_lossy(file);
        let mut lines = Vec::new();
        for (line, text) in (1_usize..).zip(text.lines()) {
            let text = text.trim();
            if !text.is_empty() && !text.starts_with('#') {
                lines.push(user(text).context(UserSnafu { line })?);
            }
        }
        Ok(Self { lines })
    }

    /// Who an `Authorization` header of the scheme Basic (RFC 7617) is of: name and token.
    pub(crate) fn authenticate(&self, header: &str) -> Option<&UserLine> {
        let encoded = header.strip_prefix("Basic ")?;
        let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (name, token) = text.split_once(':')?;
        let digest: [u8; 32] = Sha256::digest(token).into();
        // Digests of tokens are compared: how long that takes tells nothing of a token.
        self.lines
            .iter()
            .find(|line| line.name == name && line.digest == digest)
    }
}

fn user(text: &str) -> Option<UserLine> {
    let mut words = text.split_whitespace();
    let (name, role, digest) = (words.next()?, words.next()?, words.next()?);
    let mut bytes = [0; 32];
    hex::decode_to_slice(digest, &mut bytes).ok()?;
    (is_name(name) && words.next().is_none()).then_some(UserLine {
        name: name.to_owned(),
        role: role.parse().ok()?,
        digest: bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn a_user_gets_in_by_name_and_token_alone() {
        let line = user_line("anna", Role::Reader, "secret").expect("a name");
        let users = Users::parse(format!("# readers\n\n{line}\n").as_bytes()).expect("users");
        let found = users.authenticate(&header("anna:secret")).expect("anna");
        assert_eq!((found.name.as_str(), found.role), ("anna", Role::Reader));
        for text in ["anna:", "anna:Secret", "bert:secret", "anna", ""] {
            assert!(users.authenticate(&header(text)).is_none(), "{text}");
        }
        assert!(users.authenticate("Bearer secret").is_none());
        assert!(users.authenticate("Basic ???").is_none());
    }

    #[test]
    fn a_line_that_is_no_user_is_named() {
        let line = user_line("anna", Role::Reader, "secret").expect("a name");
        let digest = "0".repeat(64);
        for wrong in [
            "anna".to_owned(),
            "anna Reader abc".to_owned(),
            format!("anna Chief {digest}"),
            format!("an:na Reader {digest}"),
            format!("anna Reader {digest} more"),
        ] {
            let error = Users::parse(format!("{line}\n{wrong}\n").as_bytes());
            let error = error.expect_err("should be none").to_string();
            assert!(error.starts_with("line 2 "), "{error}");
        }
        assert_eq!(user_line("an:na", Role::Reader, "x"), None);
    }
}
