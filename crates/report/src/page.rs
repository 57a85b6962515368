//! The page around the sections: head, banners, contents, footer.

use super::markup::{Markup, element};
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
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Its content; an empty section is left out.
    pub content: Markup,
}

/// Everything of a page but what is the same on all.
pub(super) struct Page {
    /// The window's title and the main heading's text.
    pub title: String,
    /// What stands above the main heading, such as "Training run".
    pub kind: String,
    /// What is synthetic of it.
    pub synthetic: Vec<Synthetic>,
    /// The first screen, below the main heading.
    pub summary: Markup,
    /// The parts, in order.
    pub sections: Vec<Section>,
}

/// Something that is no patient's, or rests on what is none.
pub(super) struct Synthetic {
    /// The words that stand out.
    pub what: &'static str,
    /// What that means, in a sentence.
    pub sentence: String,
}

impl Synthetic {
    /// Images of phantoms, if there are any among so many `things`.
    pub(super) fn images(phantoms: u64, all: u64, things: &str) -> Option<Self> {
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

    /// A model that was trained on phantoms.
    pub(super) fn model() -> Self {
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
    pub(super) fn html(self) -> String {
        let sections: Vec<Section> = self
            .sections
            .into_iter()
            .filter(|section| !section.content.is_empty())
            .collect();
        let head = element("head")
            .child(element("meta").attribute("charset", "utf-8"))
            .child(
                element("meta")
                    .attribute("http-equiv", "Content-Security-Policy")
                    .attribute("content", POLICY),
            )
            .child(
                element("meta")
                    .attribute("name", "viewport")
                    .attribute("content", "width=device-width, initial-scale=1"),
            )
            .child(
                element("meta")
                    .attribute("name", "color-scheme")
                    .attribute("content", "light dark"),
            )
            .child(element("title").child(format!("{} – attrium", self.title)))
            .child(element("style").child(Markup::literal(STYLE)));
        let header = element("header")
            .child(banners(&self.synthetic))
            .child(element("p").class("kind").child(self.kind))
            .child(element("h1").child(self.title))
            .child(self.summary);
        let contents = contents(&sections);
        let main = element("main").children(sections.into_iter().map(|section| {
            element("section")
                .attribute("id", section.id)
                .child(element("h2").child(section.title))
                .child(section.content)
        }));
        let body = element("body")
            .child(header)
            .child(contents)
            .child(main)
            .child(footer(!self.synthetic.is_empty()));
        let html = element("html")
            .attribute("lang", "en")
            .child(head)
            .child(Markup::literal("\n"))
            .child(body);
        Markup::literal("<!DOCTYPE html>\n")
            .with(html)
            .with(Markup::literal("\n"))
            .into_string()
    }
}

/// What nobody may overlook.
fn banners(synthetic: &[Synthetic]) -> Markup {
    let mut banners = Markup::from(
        element("p").class("banner").child(
            element("strong").child("Research use only."),
        ).child(
            " Not a medical device: no diagnosis and no treatment may rest on this page; every positive needs a physician’s confirmation.",
        ),
    );
    for Synthetic { what, sentence } in synthetic {
        banners.push(
            element("p")
                .class("banner synthetic")
                .child(element("strong").child(*what))
                .child(format!(" {sentence}")),
        );
    }
    banners
}

fn contents(sections: &[Section]) -> Markup {
    let links = sections.iter().map(|section| {
        element("li").child(
            element("a")
                .attribute("href", format!("#{}", section.id))
                .child(section.title),
        )
    });
    element("nav")
        .attribute("aria-label", "Contents")
        .child(element("ul").children(links))
        .into()
}

fn footer(synthetic: bool) -> Markup {
    let standing = if synthetic {
        "Research use only · synthetic"
    } else {
        "Research use only"
    };
    element("footer")
        .child(element("p").child(element("strong").child(standing)))
        .child(
            element("p")
                .child("Made by attrium ")
                .child(env!("CARGO_PKG_VERSION"))
                .child(". Method and reference figures: ")
                .child(paper::CITATION),
        )
        .into()
}
