//! HTML that cannot be broken out of: elements with fixed names around escaped text.
//!
//! Names of elements and attributes are literals of this program; everything else, attribute
//! values included, is escaped. There is no way from a run-time string to raw markup but
//! [`Markup::drawing`], which the plots alone use.

/// Finished HTML, in which all foreign text is escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Markup(String);

impl Markup {
    /// Nothing.
    pub(super) const fn none() -> Self {
        Self(String::new())
    }

    /// A literal of this program, as it is.
    pub(super) fn literal(html: &'static str) -> Self {
        Self(html.to_owned())
    }

    /// An SVG drawing, whose text the plotting library has escaped.
    pub(super) const fn drawing(svg: String) -> Self {
        Self(svg)
    }

    /// Puts more behind what is there.
    pub(super) fn push(&mut self, more: impl Into<Self>) {
        self.0.push_str(&more.into().0);
    }

    /// This, then that.
    pub(super) fn with(mut self, more: impl Into<Self>) -> Self {
        self.push(more);
        self
    }

    /// Whether there is nothing to show.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The HTML itself.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl From<&str> for Markup {
    fn from(text: &str) -> Self {
        let mut escaped = String::with_capacity(text.len());
        escape(text, &mut escaped);
        Self(escaped)
    }
}

impl From<String> for Markup {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Markup {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Element> for Markup {
    fn from(element: Element) -> Self {
        let Element {
            name,
            attributes,
            content,
        } = element;
        let mut html = format!("<{name}{attributes}>");
        if !VOID.contains(&name) {
            html.push_str(&content.0);
            html.push_str("</");
            html.push_str(name);
            html.push('>');
        }
        if BLOCKS.contains(&name) {
            html.push('\n');
        }
        Self(html)
    }
}

impl<T: Into<Self>> FromIterator<T> for Markup {
    fn from_iter<I: IntoIterator<Item = T>>(parts: I) -> Self {
        parts.into_iter().fold(Self::none(), Self::with)
    }
}

/// Elements without an end tag.
const VOID: [&str; 4] = ["br", "col", "img", "meta"];

/// Elements after which a line ends, so that the page's source can be read and compared.
const BLOCKS: [&str; 22] = [
    "caption",
    "details",
    "div",
    "dl",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "header",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tbody",
    "tr",
    "ul",
];

/// An element under construction.
#[derive(Clone, Debug)]
pub(super) struct Element {
    name: &'static str,
    attributes: String,
    content: Markup,
}

/// Begins an element.
pub(super) const fn element(name: &'static str) -> Element {
    Element {
        name,
        attributes: String::new(),
        content: Markup::none(),
    }
}

impl Element {
    /// Sets an attribute; the value is escaped.
    pub(super) fn attribute(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.attributes.push(' ');
        self.attributes.push_str(name);
        self.attributes.push_str("=\"");
        escape(value.as_ref(), &mut self.attributes);
        self.attributes.push('"');
        self
    }

    /// Sets the class of the style sheet.
    pub(super) fn class(self, name: &'static str) -> Self {
        self.attribute("class", name)
    }

    /// Puts content behind what is there.
    pub(super) fn child(mut self, child: impl Into<Markup>) -> Self {
        self.content.push(child);
        self
    }

    /// Puts several contents behind what is there.
    pub(super) fn children<T: Into<Markup>>(self, children: impl IntoIterator<Item = T>) -> Self {
        children.into_iter().fold(self, Self::child)
    }
}

/// Escapes text for element content and for quoted attribute values alike.
///
/// Control characters, which HTML forbids, become the replacement character.
fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(character),
            '\r' => {}
            control if control.is_control() => out.push(char::REPLACEMENT_CHARACTER),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn html(element: Element) -> String {
        Markup::from(element).into_string()
    }

    #[test]
    fn text_and_attribute_values_are_escaped() {
        let made = html(element("b").attribute("title", "\"'<&>").child("<i>&\u{0}"));
        assert_eq!(
            made,
            "<b title=\"&quot;&#39;&lt;&amp;&gt;\">&lt;i&gt;&amp;\u{fffd}</b>"
        );
    }

    #[test]
    fn a_void_element_has_no_end_tag() {
        assert_eq!(html(element("br")), "<br>");
    }

    #[test]
    fn a_block_ends_its_line() {
        assert_eq!(html(element("p").child("a")), "<p>a</p>\n");
    }

    /// Text back from its escaped form; the inverse of [`escape`] for allowed characters.
    fn unescape(html: &str) -> String {
        html.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    }

    proptest! {
        #[test]
        fn no_string_breaks_out(text in "\\PC{0,40}|[<>\"'&/=! a-z-]{0,40}") {
            let made = html(element("b").attribute("title", &text).child(&text));
            let inside = made
                .strip_prefix("<b title=\"")
                .and_then(|rest| rest.strip_suffix("</b>"))
                .expect("the element is whole");
            let (value, content) = inside.split_once("\">").expect("the attribute ends once");
            prop_assert!(!value.contains(['<', '>', '"', '\'']));
            prop_assert!(!content.contains(['<', '>', '"', '\'']));
            prop_assert_eq!(&unescape(value), &text);
            prop_assert_eq!(&unescape(content), &text);
        }
    }
}
