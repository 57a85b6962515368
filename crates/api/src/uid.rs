//! What tells a resource from every other one, even of its own name: its uid.

use std::fmt;
use std::sync::Arc;

/// A uid, as an API server, or a run without one, has given it: never empty. A clone shares its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(Arc<str>);

impl Uid {
    /// The uid of a text; none where it is empty.
    pub fn new(text: impl Into<Arc<str>>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self(text))
    }

    /// The uid as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_never_empty() {
        assert_eq!(Uid::new(""), None);
        let uid = Uid::new("7e3f4f4e").expect("a uid");
        assert_eq!(
            (uid.as_str(), uid.to_string()),
            ("7e3f4f4e", "7e3f4f4e".to_owned())
        );
    }
}
