//! URIs: which store, and where in it.

use std::path::{Component, Path as FilePath, PathBuf};

use object_store::path::Path;
use snafu::ensure;

use super::error::{Error, InvalidKeySnafu, InvalidUriSnafu};

/// A place that a URI names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// A folder of this machine; the path is absolute and free of `..`.
    Folder(Path),
    /// A prefix in a bucket; `root` is `s3://BUCKET`, `gs://BUCKET` or `az://CONTAINER`.
    Bucket {
        service: Service,
        root: String,
        prefix: Path,
    },
}

/// The cloud that a bucket is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    S3,
    Google,
    Azure,
}

impl Location {
    /// Reads `file:///...`, `s3://...`, `gs://...`, `az://...` or a path.
    ///
    /// Keys of buckets are taken literally, as the clouds' own tools do; `%XX` is decoded in a
    /// `file:` URI (RFC 8089), not in a plain path.
    pub(super) fn parse(uri: &str) -> Result<Self, Error> {
        let Some((scheme, rest)) = uri.split_once("://") else {
            return Self::folder(FilePath::new(uri), uri);
        };
        let service = match scheme {
            "file" => return Self::file_uri(uri, rest),
            "s3" => Service::S3,
            "gs" => Service::Google,
            "az" => Service::Azure,
            _ => return unknown(&format!("{scheme}://")),
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        // A name with '@' or ':' may hold a credential, so the error shows the scheme alone.
        ensure!(
            !bucket.is_empty() && bucket.chars().all(sound),
            InvalidUriSnafu {
                uri: format!("{scheme}://")
            }
        );
        let root = format!("{scheme}://{bucket}");
        // An empty first part would be dropped, and another place named.
        let prefix = Path::parse(prefix)
            .ok()
            .filter(|_| !prefix.starts_with('/'));
        let Some(prefix) = prefix else {
            return InvalidKeySnafu { uri: root }.fail();
        };
        Ok(Self::Bucket {
            service,
            root,
            prefix,
        })
    }

    fn file_uri(uri: &str, rest: &str) -> Result<Self, Error> {
        let path = rest.strip_prefix("localhost").unwrap_or(rest);
        match Path::from_url_path(path) {
            Ok(decoded) if path.starts_with('/') => {
                Self::folder(&FilePath::new("/").join(decoded.as_ref()), uri)
            }
            _ => unknown(uri),
        }
    }

    fn folder(path: &FilePath, uri: &str) -> Result<Self, Error> {
        ensure!(!path.as_os_str().is_empty(), InvalidUriSnafu { uri });
        let absolute = without_dots(path).map_err(|error| Error::io(uri.to_owned(), &error))?;
        match Path::from_absolute_path(absolute) {
            Ok(path) => Ok(Self::Folder(path)),
            Err(_) => unknown(uri),
        }
    }

    /// The URI of a place in a store: what [`Self::parse`] reads back.
    pub(super) fn uri(root: &str, path: &Path) -> String {
        match root {
            "file://" => format!("file:///{}", escape(path.as_ref())),
            root => format!("{root}/{path}"),
        }
    }
}

fn unknown<T>(uri: &str) -> Result<T, Error> {
    InvalidUriSnafu { uri }.fail()
}

/// An absolute path without `.` and `..`, symbolic links before a `..` followed.
fn without_dots(path: &FilePath) -> std::io::Result<PathBuf> {
    let mut clean = PathBuf::new();
    for component in std::path::absolute(path)?.components() {
        match component {
            Component::ParentDir => {
                if clean.is_symlink() {
                    clean = clean.canonicalize()?;
                }
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    Ok(clean)
}

/// Escapes what would end or change a `file:` URI, and leaves the rest readable.
fn escape(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for character in path.chars() {
        match character {
            '%' | '?' | '#' | ' ' => escaped.push_str(&format!("%{:02X}", character as u32)),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folder(path: &str) -> Location {
        Location::Folder(Path::parse(path).unwrap())
    }

    #[test]
    fn uris_name_folders_and_buckets() {
        let parse = |uri| Location::parse(uri).unwrap();
        assert_eq!(parse("file:///data/a%20b"), folder("data/a b"));
        assert_eq!(parse("file://localhost/data/"), folder("data"));
        assert_eq!(parse("/data/100%20x/../a b/."), folder("data/a b"));
        let here = std::env::current_dir().unwrap();
        assert_eq!(
            parse("out"),
            Location::Folder(Path::from_absolute_path(here.join("out")).unwrap())
        );
        assert_eq!(
            parse("s3://scans/2012-2021/a%20b/"),
            Location::Bucket {
                service: Service::S3,
                root: "s3://scans".to_owned(),
                prefix: Path::parse("2012-2021/a%20b").unwrap()
            }
        );
        assert!(matches!(
            parse("gs://b"),
            Location::Bucket {
                service: Service::Google,
                ..
            }
        ));
        assert!(matches!(
            parse("az://c/x"),
            Location::Bucket {
                service: Service::Azure,
                ..
            }
        ));
    }

    #[test]
    fn what_names_no_store_is_refused_without_its_credentials() {
        for uri in [
            "",
            "ftp://host/x",
            "s3://",
            "s3:///x",
            "file://host/x",
            "s3://key:secret@host/x",
            "s3://tenant:bucket/x",
        ] {
            let error = Location::parse(uri).unwrap_err().to_string();
            assert!(error.contains("is not a place to keep files"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        for uri in [
            "s3://scans/../labels",
            "s3://scans//x",
            "s3://scans/a//b",
            "s3://scans/./a",
        ] {
            let location = Location::parse(uri);
            assert!(matches!(location, Err(Error::InvalidKey { .. })), "{uri}");
        }
    }

    proptest! {
        #[test]
        fn a_uri_of_a_folder_reads_back(parts in prop::collection::vec("[^/\0-\u{1f}\u{7f}]{1,9}", 1..4)) {
            prop_assume!(parts.iter().all(|part| part != "." && part != ".."));
            let path = Path::parse(parts.join("/")).unwrap();
            let uri = Location::uri("file://", &path);
            prop_assert_eq!(Location::parse(&uri).unwrap(), Location::Folder(path));
        }
    }
}
