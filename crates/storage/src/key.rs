//! Keys: where an object is below its prefix.

use object_store::path::Path;

/// Joins a key to a prefix; `None` for a key that is empty, leads elsewhere or is not valid.
///
/// The parts of a key are taken literally: spaces, `%` and letters beyond ASCII stay as they are.
pub(super) fn join(prefix: &Path, key: &str) -> Option<Path> {
    let key = key.strip_suffix('/').unwrap_or(key);
    if key.is_empty() || key.starts_with('/') {
        return None;
    }
    let key = Path::parse(key).ok()?;
    Some(prefix.parts().chain(key.parts()).collect())
}

/// The key of an object below a prefix; `None` for the prefix itself and what is not below it.
pub(super) fn below<'a>(prefix: &Path, location: &'a Path) -> Option<&'a str> {
    let location = location.as_ref();
    let key = match prefix.as_ref() {
        "" => location,
        prefix => location.strip_prefix(prefix)?.strip_prefix('/')?,
    };
    (!key.is_empty()).then_some(key)
}

/// Whether any part of a key begins with a dot, and is not a relative part.
pub(super) fn is_hidden(key: &str) -> bool {
    let mut parts = key.split('/');
    parts.any(|part| part.starts_with('.') && !matches!(part, "." | ".."))
}

/// Whether a key ends in `#N`, as the file does that a killed put leaves behind in a folder.
pub(super) fn ends_like_temporary(key: &str) -> bool {
    key.rsplit('/')
        .next()
        .and_then(|name| name.split_once('#'))
        .is_some_and(|(_, end)| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_never_leads_out_of_its_prefix() {
        let prefix = Path::parse("runs/one").unwrap();
        for key in [
            "..",
            "../two",
            "a/../../two",
            "/etc/passwd",
            "a//b",
            ".",
            "./a",
            "",
            "/",
            "a\0",
        ] {
            assert_eq!(join(&prefix, key), None, "{key:?}");
        }
    }

    #[test]
    fn spaces_percent_signs_and_umlauts_are_kept() {
        let prefix = Path::parse("scans").unwrap();
        let key = "Köln 2021/50 %/a%20b#c.dcm";
        let joined = join(&prefix, key).unwrap();
        assert_eq!(joined.as_ref(), format!("scans/{key}"));
        assert_eq!(below(&prefix, &joined), Some(key));
    }

    #[test]
    fn a_prefix_ends_where_a_part_does() {
        let prefix = Path::parse("scans").unwrap();
        assert_eq!(below(&prefix, &Path::parse("scans2/a").unwrap()), None);
        assert_eq!(below(&prefix, &prefix), None);
        assert_eq!(
            below(&Path::default(), &Path::parse("a/b").unwrap()),
            Some("a/b")
        );
    }

    proptest! {
        #[test]
        fn whatever_joins_stays_below_and_comes_back(key in any::<String>()) {
            let prefix = Path::parse("runs/one").unwrap();
            if let Some(joined) = join(&prefix, &key) {
                prop_assert!(joined.as_ref().starts_with("runs/one/"));
                prop_assert!(joined.parts().all(|part| part.as_ref() != ".."));
                prop_assert_eq!(below(&prefix, &joined), Some(key.trim_end_matches('/')));
            }
        }
    }
}
