//! What the page looks like.

use maud::{DOCTYPE, Markup, html};

use super::page::{REASONS, Visitor};
use super::users::Role;
use crate::clock;
use crate::overview::{DeliveryView, Overview, StudyView, Whole, word};
use crate::study::{Finding, State};
use attrium_imaging::PatientLabel;
use attrium_spool::{ItemState, StrangerRow};

/// What stands below every page.
const NOTICE: &str =
    "Research use only, not a medical device: a physician looks at the images and decides.";

/// A study, as it is shown.
pub(super) struct Shown<'a> {
    pub overview: &'a Overview,
    pub whole: &'a Whole,
    pub has_picture: bool,
    pub patient: Option<&'a PatientLabel>,
    pub visitor: &'a Visitor,
}

fn document(overview: &Overview, title: &str, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · " (overview.station) }
                link rel="stylesheet" href="/style.css";
            }
            body {
                a.skip href="#content" { "To the content" }
                header {
                    p.station { a href="/" { (overview.station) } }
                    (banners(overview))
                }
                main #content { (content) }
                footer { p { (NOTICE) } }
            }
        }
    }
}

fn banners(overview: &Overview) -> Markup {
    html! {
        @if let Some(reason) = &overview.stopped {
            p.banner.bad role="alert" { strong { "Nothing is taken in." } " " (reason) }
        }
        @if overview.mode == "Silent" {
            p.banner { strong { "Silent." } " Everything is decided and kept; nobody is told, and nothing is delivered." }
        }
        @if overview.synthetic_model {
            p.banner { strong { "Synthetic model." } " It was trained on simulated scans: what it says of a patient means nothing." }
        }
        @if overview.undelivered > 0 {
            p.banner.bad role="alert" {
                strong { (overview.undelivered) " not delivered." }
                " Results or messages were refused or given up: the studies below say which."
            }
        }
    }
}

/// The studies of the last days.
pub(super) fn list(overview: &Overview, studies: &[Whole], strangers: &[StrangerRow]) -> Markup {
    let content = html! {
        h1 { "Studies" }
        p.summary {
            (overview.studies_today) " today, " (overview.positives_today) " positive; "
            strong { (overview.unacknowledged) " positive not acknowledged" }
            @if let Some(last) = &overview.last_object { "; last image at " (last) }
            @else { "; no image since the start" }
            "."
        }
        @if studies.is_empty() {
            p { "No study yet. Send an image of a bone scan to this station." }
        } @else {
            div.wide {
                table {
                    thead { tr {
                        th scope="col" { "Study" } th scope="col" { "Received" } th scope="col" { "Decision" }
                        th.number scope="col" { "Probability" } th scope="col" { "State" } th scope="col" { "Seen" }
                    } }
                    tbody { @for whole in studies { (row(whole)) } }
                }
            }
        }
        (callers(strangers))
    };
    document(overview, "Studies", content)
}

fn row(whole: &Whole) -> Markup {
    let number = whole.row.number;
    let view = whole.view();
    let is_positive = view.decision.as_deref() == Some(word(true));
    html! {
        tr.positive[is_positive] {
            th scope="row" { a href={ "/studies/" (number) } { (number) } }
            td { (clock::day_and_hour(whole.row.opened_at)) }
            td { (decision(&view)) }
            td.number { (probability(view.probability)) }
            td { (state(whole)) }
            td { @if whole.is_acknowledged() { "yes" } @else if is_positive { strong { "no" } } @else { "–" } }
        }
    }
}

/// The decision in words that do without colour.
fn decision(view: &StudyView) -> Markup {
    html! {
        @match view.decision.as_deref() {
            Some("positive") => { strong.badge.positive { "POSITIVE" } }
            Some(_) => { span.badge { "negative" } }
            None => { "–" }
        }
        @if view.synthetic { " " span.badge.synthetic { "synthetic" } }
    }
}

fn probability(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.3}"))
}

fn state(whole: &Whole) -> String {
    let failed = |it: &attrium_spool::OutboxItem| {
        matches!(it.state, ItemState::Refused | ItemState::GivenUp)
    };
    match whole.study.state {
        State::Open => "arriving".to_owned(),
        State::Settled => {
            let waits = whole
                .items
                .iter()
                .filter(|it| it.state == ItemState::Pending)
                .count();
            if waits > 0 {
                format!("{waits} on the way")
            } else {
                "decided".to_owned()
            }
        }
        State::Delivered => "delivered".to_owned(),
        State::Undelivered => {
            let count = whole.items.iter().filter(|it| failed(it)).count();
            format!("{count} not delivered")
        }
        State::Unusable => match whole.study.findings.values().find_map(reason) {
            Some(reason) => format!("not for screening: {reason}"),
            None => "not for screening".to_owned(),
        },
        State::Expired => "files removed".to_owned(),
    }
}

fn reason(finding: &Finding) -> Option<&str> {
    match finding {
        Finding::Unusable { reason, .. } => Some(reason),
        Finding::OtherView => Some("no anterior view"),
        _ => None,
    }
}

/// Who has called and may not send.
fn callers(strangers: &[StrangerRow]) -> Markup {
    html! {
        @if !strangers.is_empty() {
            section {
                h2 { "Unknown senders" }
                p { "They were refused. To let one in, add it to listener.senders of the manifest and start again." }
                div.wide {
                    table {
                        thead { tr {
                            th scope="col" { "AE title" } th scope="col" { "Address" } th scope="col" { "Refused for" }
                            th.number scope="col" { "Times" } th scope="col" { "Last" } th scope="col" { "To add" }
                        } }
                        tbody { @for stranger in strangers {
                            tr {
                                th scope="row" { (stranger.ae_title) }
                                td { (stranger.address) }
                                td { (stranger.reason) }
                                td.number { (stranger.times) }
                                td { (clock::day_and_hour(stranger.last_at)) }
                                td { code { "{aeTitle: \"" (stranger.ae_title) "\", addresses: [" (stranger.address) "]}" } }
                            }
                        } }
                    }
                }
            }
        }
    }
}

/// One study.
pub(super) fn study(shown: &Shown<'_>) -> Markup {
    let view = shown.whole.view();
    let number = view.number;
    let title = format!("Study {number}");
    let content = html! {
        h1 { (title) " " (decision(&view)) }
        (patient(shown.patient))
        dl.facts {
            dt { "Probability" } dd { (probability(view.probability)) ", positive from " (format!("{:.3}", shown.overview.threshold)) }
            dt { "State" } dd { (state(shown.whole)) }
            dt { "Revision" } dd { (view.revision) }
            dt { "Received" } dd { (clock::day_and_hour(shown.whole.row.opened_at)) }
            dt { "Model" } dd { code.digest { (shown.overview.model) } }
        }
        @if let Some(images) = view.ambiguous {
            p.banner { strong { (images) " images differ" } " and nothing tells which of them stands for the study: the most suspicious one has decided." }
        }
        @if shown.has_picture { (pictures(number)) }
        (actions(shown, &view))
        (objects(&view))
        (deliveries(shown, &view))
        (reviews(&view))
    };
    document(shown.overview, &title, content)
}

fn patient(label: Option<&PatientLabel>) -> Markup {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "not stated".to_owned());
    html! {
        @if let Some(label) = label {
            dl.facts.patient {
                dt { "Patient" } dd { (text(&label.name)) }
                dt { "Patient ID" } dd { (text(&label.id)) }
                dt { "Accession" } dd { (text(&label.accession)) }
            }
        }
    }
}

fn pictures(number: u64) -> Markup {
    let [decision, scan] = ["decision", "scan"].map(|name| format!("/studies/{number}/{name}.png"));
    html! {
        div.pictures {
            figure {
                a href=(scan) { img src=(scan) alt="The whole scan from the front, with the crop and the heart outlined"; }
                figcaption { "Anterior view. Red: crop and heart; blue: what it is compared with." }
            }
            figure {
                a href=(decision) { img src=(decision) alt="The crop that the model saw, and where it looked"; }
                figcaption { "What the model saw, and where it looked." }
            }
        }
    }
}

fn actions(shown: &Shown<'_>, view: &StudyView) -> Markup {
    let number = view.number;
    let action = |name: &str| format!("/studies/{number}/{name}");
    html! {
        div.actions {
            @if !shown.whole.is_acknowledged() {
                form method="post" action=(action("acknowledge")) {
                    label for="reason" { "Seen:" }
                    select #reason name="reason" { @for reason in REASONS { option { (reason) } } }
                    button type="submit" { "Acknowledge" }
                }
            }
            @if shown.visitor.role >= Role::Reader {
                form method="post" action=(action("grade")) {
                    fieldset {
                        legend { "Your Perugini grade" }
                        @for grade in 0..=3 {
                            label { input type="radio" name="grade" value=(grade) required; " " (grade) }
                        }
                    }
                    button type="submit" { "Save the grade" }
                }
            }
            @if shown.visitor.role >= Role::Administrator && view.state == State::Undelivered.word() {
                form method="post" action=(action("resend")) { button type="submit" { "Send again what failed" } }
            }
        }
    }
}

fn objects(view: &StudyView) -> Markup {
    html! {
        section {
            h2 { "Images" }
            div.wide { table {
                thead { tr { th scope="col" { "Arrival" } th scope="col" { "Finding" } th.number scope="col" { "Probability" } th scope="col" { "Why" } } }
                tbody { @for object in &view.objects {
                    tr {
                        th scope="row" { (object.arrival) }
                        td { (object.finding) }
                        td.number { (probability(object.probability)) }
                        td { (object.reason.as_deref().unwrap_or("–")) }
                    }
                } }
            } }
            @if view.repeats > 0 { p { (view.repeats) " came again, byte for byte." } }
        }
    }
}

fn deliveries(shown: &Shown<'_>, view: &StudyView) -> Markup {
    let none = if shown.overview.mode == "Silent" {
        "None: the station is silent."
    } else {
        "None."
    };
    html! {
        section {
            h2 { "Results and messages" }
            @if view.deliveries.is_empty() { p { (none) } } @else {
                div.wide { table {
                    thead { tr {
                        th scope="col" { "For" } th scope="col" { "What" } th.number scope="col" { "Revision" }
                        th scope="col" { "State" } th.number scope="col" { "Tries" } th scope="col" { "Last answer" }
                    } }
                    tbody { @for delivery in &view.deliveries { (delivery_row(delivery)) } }
                } }
            }
        }
    }
}

fn delivery_row(delivery: &DeliveryView) -> Markup {
    let has_failed = ["refused", "given-up"].contains(&delivery.state.as_str());
    html! {
        tr {
            th scope="row" { (delivery.target) }
            td { (delivery.item) }
            td.number { (delivery.revision) }
            td { @if has_failed { strong.bad { (delivery.state) } } @else { (delivery.state) } }
            td.number { (delivery.attempts) }
            td { (delivery.detail.as_deref().unwrap_or("–")) }
        }
    }
}

fn reviews(view: &StudyView) -> Markup {
    html! {
        @if !view.reviews.is_empty() {
            section {
                h2 { "What people have said" }
                ul { @for review in &view.reviews {
                    li {
                        (review.who) ": "
                        @if let Some(reason) = &review.acknowledged { "acknowledged, " (reason) }
                        @if let Some(grade) = review.grade { "grade " (grade) }
                        " (revision " (review.revision) ", " (review.at) ")"
                    }
                } }
            }
        }
    }
}

/// A study that there is not.
pub(super) fn no_study(number: u64) -> Markup {
    html! { (DOCTYPE) html lang="en" { head { title { "No study" } link rel="stylesheet" href="/style.css"; }
    body { main { h1 { "There is no study " (number) } p { a href="/" { "All studies" } } } } } }
}
