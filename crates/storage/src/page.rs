//! A page of a bucket's listing, read before the store's client reads it.
//!
//! The client ends a listing at the first key that it cannot name, and takes any XML for a page: one
//! without objects, after which no other follows.

use std::ops::Range;

use object_store::path::Path;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

/// A page of a listing as the store's client can read it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The page without the objects that have no place in it.
    pub body: Vec<u8>,
    /// The keys that the client cannot name, from the bucket's root.
    pub impossible: Vec<String>,
}

/// An object while its element is read.
#[derive(Default)]
struct Object {
    start: usize,
    key: String,
    size: String,
}

/// What is known of a page while it is read.
#[derive(Default)]
struct State {
    /// The names of the elements that are open.
    open: Vec<String>,
    object: Option<Object>,
    /// Whether another page follows, and its token.
    follows: String,
    token: String,
    removed: Vec<Range<usize>>,
    impossible: Vec<String>,
}

/// Reads a page of S3, of Google's XML API or of Azure.
///
/// # Errors
/// What shows that it is none, or not a whole one.
pub(super) fn read(body: &[u8]) -> Result<Page, &'static str> {
    let text = std::str::from_utf8(body).map_err(|_| "a listing that is not UTF-8")?;
    let mut reader = Reader::from_str(text);
    let mut state = State::default();
    loop {
        let start = position(&reader);
        let event = reader.read_event().map_err(|_| "no listing of a store")?;
        match event {
            Event::Start(element) => {
                state.begin(element.local_name().as_ref(), start)?;
            }
            Event::Empty(element) => {
                state.begin(element.local_name().as_ref(), start)?;
                state.end(position(&reader));
            }
            Event::End(_) => state.end(position(&reader)),
            Event::Text(text) => state.add(&text.decode().unwrap_or_default()),
            Event::CData(text) => state.add(&text.decode().unwrap_or_default()),
            Event::GeneralRef(reference) => state.add(&resolve(&reference)),
            Event::Eof => break,
            _ => {}
        }
    }
    state.into_page(body)
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

/// The text of `&amp;`, `&#47;` and the like.
fn resolve(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    let name = reference.decode().unwrap_or_default();
    resolve_predefined_entity(&name)
        .unwrap_or_default()
        .to_owned()
}

impl State {
    fn begin(&mut self, name: &[u8], start: usize) -> Result<(), &'static str> {
        let name = String::from_utf8_lossy(name);
        let name = name.as_ref();
        if self.open.is_empty() && !matches!(name, "ListBucketResult" | "EnumerationResults") {
            return Err("no listing of a store");
        }
        if matches!(name, "Contents" | "Blob") {
            self.object = Some(Object {
                start,
                ..Object::default()
            });
        }
        self.open.push(name.to_owned());
        Ok(())
    }

    fn add(&mut self, text: &str) {
        let name = self.open.last().map_or("", String::as_str);
        match (&mut self.object, name) {
            (Some(object), "Key" | "Name") => object.key.push_str(text),
            (Some(object), "Size" | "Content-Length") => object.size.push_str(text),
            (None, "IsTruncated") => self.follows.push_str(text),
            (None, "NextContinuationToken" | "NextMarker") => self.token.push_str(text),
            _ => {}
        }
    }

    fn end(&mut self, end: usize) {
        let name = self.open.pop().unwrap_or_default();
        if !matches!(name.as_str(), "Contents" | "Blob") {
            return;
        }
        let Some(object) = self.object.take() else {
            return;
        };
        let is_folder = object.key.ends_with('/') && object.size.trim() == "0";
        if is_folder || !is_possible(&object.key) {
            self.removed.push(object.start..end);
        }
        if !is_folder && !is_possible(&object.key) {
            self.impossible.push(object.key);
        }
    }

    fn into_page(self, body: &[u8]) -> Result<Page, &'static str> {
        if !self.open.is_empty() || body.trim_ascii().is_empty() {
            return Err("a listing that breaks off");
        }
        if self.follows.trim() == "true" && self.token.is_empty() {
            return Err("a listing that goes on and does not say where");
        }
        let mut kept = Vec::with_capacity(body.len());
        let mut from = 0;
        for removed in self.removed {
            kept.extend_from_slice(&body[from..removed.start]);
            from = removed.end;
        }
        kept.extend_from_slice(&body[from..]);
        Ok(Page {
            body: kept,
            impossible: self.impossible,
        })
    }
}

/// Whether the store's client names an object by its very key.
fn is_possible(key: &str) -> bool {
    Path::parse(key).is_ok_and(|path| path.as_ref() == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(keys: &[&str], rest: &str) -> String {
        let objects: String = keys
            .iter()
            .map(|key| format!("<Contents><Key>{key}</Key><Size>4</Size></Contents>"))
            .collect();
        format!("<?xml version=\"1.0\"?><ListBucketResult>{objects}{rest}</ListBucketResult>")
    }

    #[test]
    fn a_key_that_is_none_is_taken_out_of_its_page_and_told() {
        let keys = [
            "a.dcm",
            "b//c.dcm",
            "d/../e&amp;f",
            "g/./h",
            "i/",
            "&#47;j",
            "k%20 l?#1",
        ];
        let page = read(listed(&keys, "").as_bytes()).unwrap();
        let rest = listed(&["a.dcm", "k%20 l?#1"], "");
        assert_eq!(String::from_utf8(page.body).unwrap(), rest);
        assert_eq!(
            page.impossible,
            ["b//c.dcm", "d/../e&f", "g/./h", "i/", "/j"]
        );
    }

    #[test]
    fn what_stands_for_a_folder_is_taken_out_and_not_told() {
        let folder = "<Contents><Key>2014/</Key><Size>0</Size></Contents>";
        let page = read(listed(&["2014/a.dcm"], folder).as_bytes()).unwrap();
        assert_eq!(page.body, listed(&["2014/a.dcm"], "").into_bytes());
        assert!(page.impossible.is_empty());
    }

    #[test]
    fn a_page_of_azure_is_read_alike() {
        let blob = |name: &str| {
            format!(
                "<Blob><Name>{name}</Name><Properties><Content-Length>4</Content-Length>\
                 </Properties></Blob>"
            )
        };
        let page = |blobs: &str| {
            format!("<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>")
        };
        let read = read(page(&(blob("a") + &blob("b//c"))).as_bytes()).unwrap();
        assert_eq!(read.body, page(&blob("a")).into_bytes());
        assert_eq!(read.impossible, ["b//c"]);
    }

    #[test]
    fn what_is_no_whole_page_is_no_empty_page() {
        let whole = listed(&["a.dcm", "b.dcm"], "");
        let more = "<IsTruncated>true</IsTruncated>";
        let token = "<NextContinuationToken>b</NextContinuationToken>";
        assert!(read(listed(&["a"], &format!("{more}{token}")).as_bytes()).is_ok());
        assert!(read(b"<ListBucketResult/>").is_ok());
        for page in [
            "",
            "<html><body>Sign in</body></html>",
            "<html/>",
            "<Error><Code>InternalError</Code></Error>",
            &whole[..whole.len() - 30],
            &listed(&["a.dcm"], more),
        ] {
            assert!(read(page.as_bytes()).is_err(), "{page}");
        }
    }
}
