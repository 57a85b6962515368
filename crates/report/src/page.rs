//! The page around the sections: head, banners, contents, footer.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::number;
use super::paper;

/// The style sheet, which is part of the page.
const STYLE: &str = include_str!("style.css");

/// What the browser may load: images within the page and its own style sheet, nothing else.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
    base-uri 'none'; form-action 'none'";

/// A part of the page with a heading.
pub(super) struct Section {
    /// The fragment that links to it.
    id: &'static str,
    heading: &'static str,
    content: Markup,
}

impl Section {
    /// A section; one without content is left out of the page.
    pub(super) const fn new(id: &'static str, heading: &'static str, content: Markup) -> Self {
        Self {
            id,
            heading,
            content,
        }
    }
}

/// Everything of a page but what is the same on all.
pub(super) struct Page {
    /// The window's title and the main heading's text.
    pub title: String,
    /// What stands above the main heading, such as "Training run".
    pub kind: String,
    pub synthetic: Vec<SyntheticNotice>,
    /// The first screen, below the main heading.
    pub summary: Markup,
    pub sections: Vec<Section>,
}

/// A notice that something is simulated, or rests on what is.
pub(super) struct SyntheticNotice {
    /// The words that stand out.
    what: &'static str,
    /// What that means.
    sentence: String,
}

impl SyntheticNotice {
    /// Of images of phantoms, if there are any among `all` the `things`.
    pub(super) fn of_images(phantoms: u64, all: u64, things: &str) -> Option<Self> {
        let which = match phantoms {
            0 => return None,
            some if some < all => format!(
                "{} of {} {things}",
                number::count(phantoms),
                number::count(all)
            ),
            _ => "The images".to_owned(),
        };
        Some(Self {
            what: "Synthetic data.",
            sentence: format!(
                "{which} are simulated phantoms, not patients: the figures say nothing about \
                 clinical performance."
            ),
        })
    }

    /// Of a model that was trained on phantoms.
    pub(super) fn of_model() -> Self {
        Self {
            what: "Synthetic model.",
            sentence: "The model was trained on simulated phantoms, not on patients: what it says \
                       of a patient’s scan means nothing."
                .to_owned(),
        }
    }
}

impl Page {
    /// The whole document.
    pub(super) fn html(mut self) -> String {
        self.sections
            .retain(|section| !section.content.0.is_empty());
        let document = html! {
            (DOCTYPE)
            html lang="en" {
                (head(&self.title))
                body {
                    header {
                        (banners(&self.synthetic))
                        p.kind { (self.kind) }
                        h1 { (self.title) }
                        (self.summary)
                    }
                    (contents(&self.sections))
                    main {
                        @for section in &self.sections {
                            section id=(section.id) {
                                h2 { (section.heading) }
                                (section.content)
                            }
                        }
                    }
                    (footer(!self.synthetic.is_empty()))
                }
            }
        };
        without_control_characters(&document.into_string())
    }
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(POLICY);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " – attrium" }
            style { (PreEscaped(STYLE)) }
        }
    }
}

/// What nobody may overlook.
fn banners(synthetic: &[SyntheticNotice]) -> Markup {
    html! {
        p.banner {
            strong { "Research use only." }
            " Not a medical device: no diagnosis and no treatment may rest on this page; \
              every positive needs a physician’s confirmation."
        }
        @for notice in synthetic {
            p.banner.synthetic { strong { (notice.what) } " " (notice.sentence) }
        }
    }
}

fn contents(sections: &[Section]) -> Markup {
    html! {
        nav aria-label="Contents" {
            ul {
                @for section in sections {
                    li { a href={ "#" (section.id) } { (section.heading) } }
                }
            }
        }
    }
}

fn footer(synthetic: bool) -> Markup {
    html! {
        footer {
            p {
                strong { "Research use only" @if synthetic { " · synthetic" } }
            }
            p {
                "Made by attrium " (env!("CARGO_PKG_VERSION"))
                ". Method and reference figures: " (paper::CITATION)
            }
        }
    }
}

/// The document with the replacement character for control characters, which HTML forbids.
fn without_control_characters(document: &str) -> String {
    let allowed = document.chars().filter(|character| *character != '\r');
    allowed
        .map(|character| match character {
            '\n' | '\t' => character,
            control if control.is_control() => char::REPLACEMENT_CHARACTER,
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_control_characters_are_replaced() {
        let page = Page {
            title: "\"<i>&\u{0}\r\n".to_owned(),
            kind: String::new(),
            synthetic: Vec::new(),
            summary: Markup::default(),
            sections: Vec::new(),
        };
        let html = page.html();
        assert!(
            html.contains("<h1>&quot;&lt;i&gt;&amp;\u{fffd}\n</h1>"),
            "{html}"
        );
    }
}
