//! What only people know of a study, in their words: it decides nothing, and is what a report of the study needs.

use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::limits;

/// What only people know of a study, for its bundle, its report and `attrium checklist`. It decides nothing and may be
/// changed at any time. Texts are published as they are: write no patient data into them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Study {
    /// The hospitals that the scans are from, each with its kind and place. Default: not stated. At most 32 of 256
    /// characters each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = limits::LINE)))]
    #[schemars(transform = each_has_words)]
    pub sites: Vec<String>,
    /// When the scans were made, from a year or a month to another; no day, which might point to a patient. Default:
    /// not stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<StudyDates>,
    /// What the grades rest on beside the images: who was graded when and by which rule, and what confirmed it, such
    /// as biopsy or the exclusion of light chains. Default: not stated. At most 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::TEXT))]
    #[schemars(transform = limits::words)]
    pub reference_standard: Option<String>,
    /// Who read the scans: how many readers of which experience, blinded to what, and how they settled disagreements.
    /// No names. Default: not stated. At most 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::TEXT))]
    #[schemars(transform = limits::words)]
    pub readers: Option<String>,
    /// Which committee has approved the study, under which number, and what became of consent. Default: not stated.
    /// At most 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::TEXT))]
    #[schemars(transform = limits::words)]
    pub ethics: Option<String>,
    /// Whom to ask about the study and its model. Default: not stated. At most 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::LINE))]
    #[schemars(transform = limits::words)]
    pub contact: Option<String>,
    /// On which terms others may use the model, such as an SPDX identifier. Default: not stated. At most 256
    /// characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::LINE))]
    #[schemars(transform = limits::words)]
    pub licence: Option<String>,
    /// Who paid for the study, and what say they had in it. Default: not stated. At most 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::TEXT))]
    #[schemars(transform = limits::words)]
    pub funding: Option<String>,
    /// Where the study is registered, and its number there; or that it is not. Default: not stated. At most 2048
    /// characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::TEXT))]
    #[schemars(transform = limits::words)]
    pub registration: Option<String>,
    /// Where the protocol lies; or that there is none. Default: not stated. At most 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::TEXT))]
    #[schemars(transform = limits::words)]
    pub protocol: Option<String>,
    /// Who may have the data, and from whom. Default: not stated. At most 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::TEXT))]
    #[schemars(transform = limits::words)]
    pub data_availability: Option<String>,
    /// Who may have the code beside attrium's own, and from where. Default: not stated. At most 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::TEXT))]
    #[schemars(transform = limits::words)]
    pub code_availability: Option<String>,
    /// Who is to use the model, where in the care of whom, and with which experience. Default: not stated. At most
    /// 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::TEXT))]
    #[schemars(transform = limits::words)]
    pub intended_users: Option<String>,
    /// Who was included and who was excluded: by which criteria, found how, all in a row or by another choice.
    /// Default: not stated. At most 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::TEXT))]
    #[schemars(transform = limits::words)]
    pub population: Option<String>,
}

/// From when to when scans were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = in_order)]
pub struct StudyDates {
    /// The first year or month, in quotes: "2012" or "2012-03". At most 7 characters.
    #[schemars(length(min = 4, max = 7))]
    #[schemars(transform = year_or_month)]
    pub from: String,
    /// The last year or month, in quotes: "2021" or "2021-11". At most 7 characters.
    #[schemars(length(min = 4, max = 7))]
    #[schemars(transform = year_or_month)]
    pub to: String,
}

fn each_has_words(schema: &mut Schema) {
    let rule = Rule::new(r"self.all(site, site.matches('\\S'))");
    limits::add(schema, rule.message("has a blank one: leave it out"));
}

fn year_or_month(schema: &mut Schema) {
    let rule = Rule::new("self.matches('^(19|20)[0-9][0-9](-(0[1-9]|1[0-2]))?$')");
    limits::add(
        schema,
        rule.message("is no year and no month: use \"2012\" or \"2012-03\", and never a day"),
    );
}

/// A year comes before its months as a text, and ends with them.
fn in_order(schema: &mut Schema) {
    let rule = Rule::new("self.from <= self.to || self.from.startsWith(self.to)");
    limits::add(schema, rule.message("ends before it begins"));
}

/// A field of a [`Study`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StudyField {
    /// [`Study::sites`].
    Sites,
    /// [`Study::dates`].
    Dates,
    /// [`Study::population`].
    Population,
    /// [`Study::reference_standard`].
    ReferenceStandard,
    /// [`Study::readers`].
    Readers,
    /// [`Study::intended_users`].
    IntendedUsers,
    /// [`Study::ethics`].
    Ethics,
    /// [`Study::registration`].
    Registration,
    /// [`Study::protocol`].
    Protocol,
    /// [`Study::funding`].
    Funding,
    /// [`Study::data_availability`].
    DataAvailability,
    /// [`Study::code_availability`].
    CodeAvailability,
    /// [`Study::licence`].
    Licence,
    /// [`Study::contact`].
    Contact,
}

impl StudyField {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 14] = [
        Self::Sites,
        Self::Dates,
        Self::Population,
        Self::ReferenceStandard,
        Self::Readers,
        Self::IntendedUsers,
        Self::Ethics,
        Self::Registration,
        Self::Protocol,
        Self::Funding,
        Self::DataAvailability,
        Self::CodeAvailability,
        Self::Licence,
        Self::Contact,
    ];

    /// Where a manifest has it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Sites => "study.sites",
            Self::Dates => "study.dates",
            Self::Population => "study.population",
            Self::ReferenceStandard => "study.referenceStandard",
            Self::Readers => "study.readers",
            Self::IntendedUsers => "study.intendedUsers",
            Self::Ethics => "study.ethics",
            Self::Registration => "study.registration",
            Self::Protocol => "study.protocol",
            Self::Funding => "study.funding",
            Self::DataAvailability => "study.dataAvailability",
            Self::CodeAvailability => "study.codeAvailability",
            Self::Licence => "study.licence",
            Self::Contact => "study.contact",
        }
    }

    /// What people call it, in small letters.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Sites => "sites",
            Self::Dates => "dates",
            Self::Population => "population",
            Self::ReferenceStandard => "reference standard",
            Self::Readers => "readers",
            Self::IntendedUsers => "intended users",
            Self::Ethics => "ethics",
            Self::Registration => "registration",
            Self::Protocol => "protocol",
            Self::Funding => "funding",
            Self::DataAvailability => "data availability",
            Self::CodeAvailability => "code availability",
            Self::Licence => "licence",
            Self::Contact => "contact",
        }
    }
}

impl Study {
    /// What is stated in a field, on one line; a text of blanks states nothing.
    pub fn stated(&self, field: StudyField) -> Option<String> {
        let text = match field {
            StudyField::Sites => Some(self.sites.join("; ")),
            StudyField::Dates => self.dates.as_ref().map(StudyDates::in_words),
            StudyField::Population => self.population.clone(),
            StudyField::ReferenceStandard => self.reference_standard.clone(),
            StudyField::Readers => self.readers.clone(),
            StudyField::IntendedUsers => self.intended_users.clone(),
            StudyField::Ethics => self.ethics.clone(),
            StudyField::Registration => self.registration.clone(),
            StudyField::Protocol => self.protocol.clone(),
            StudyField::Funding => self.funding.clone(),
            StudyField::DataAvailability => self.data_availability.clone(),
            StudyField::CodeAvailability => self.code_availability.clone(),
            StudyField::Licence => self.licence.clone(),
            StudyField::Contact => self.contact.clone(),
        };
        let words = text.unwrap_or_default();
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        (!words.is_empty()).then_some(words)
    }

    /// The fields in which nothing is stated.
    pub fn not_stated(&self) -> Vec<StudyField> {
        let fields = StudyField::ALL.into_iter();
        fields
            .filter(|&field| self.stated(field).is_none())
            .collect()
    }
}

impl StudyDates {
    /// The range in words.
    fn in_words(&self) -> String {
        if self.from == self.to {
            return self.from.clone();
        }
        format!("{} to {}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_is_stated_once_under_its_own_name() {
        let mut document = json!({
            "sites": ["a university hospital"],
            "dates": {"from": "2012", "to": "2021-11"},
        });
        for field in StudyField::ALL {
            let name = field.path().strip_prefix("study.").expect("a path");
            if document.get(name).is_none() {
                document[name] = format!("the {name}").into();
            }
        }
        let study: Study = serde_json::from_value(document.clone()).expect("a study");
        assert_eq!(serde_json::to_value(&study).expect("JSON"), document);
        assert!(study.not_stated().is_empty());
        for field in StudyField::ALL {
            let name = field.path().trim_start_matches("study.");
            let expected = match field {
                StudyField::Sites => "a university hospital".to_owned(),
                StudyField::Dates => "2012 to 2021-11".to_owned(),
                _ => format!("the {name}"),
            };
            assert_eq!(study.stated(field), Some(expected));
        }
    }

    #[test]
    fn nothing_is_stated_where_nothing_is() {
        assert_eq!(Study::default().not_stated(), StudyField::ALL);
        assert_eq!(
            serde_json::to_value(Study::default()).expect("JSON"),
            json!({})
        );
    }

    proptest! {
        #[test]
        fn what_is_stated_is_one_line_of_words(text in "\\PC*|[ \\n\\t|#a]*") {
            let study = Study { ethics: Some(text.clone()), ..Study::default() };
            match study.stated(StudyField::Ethics) {
                Some(stated) => {
                    prop_assert!(!stated.trim().is_empty() && !stated.contains('\n'));
                    prop_assert!(text.split_whitespace().eq(stated.split(' ')));
                }
                None => prop_assert!(text.trim().is_empty()),
            }
        }
    }
}
