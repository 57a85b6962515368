//! From an object to one that research may see (PS3.15, annex E).
//!
//! What is kept is listed, and nothing else is: removing what is known to identify misses what is not. The list is that
//! of the Basic Profile and what reading a bone scan needs, and holds in nested items as well. Kept texts lose all
//! words but those of a list, kept numbers are numbers, and UIDs and dates become others, the same in all objects that
//! are made with one key and one shift. Times of day of injection and acquisition stay, since the delay between them
//! tells whether bones or blood were imaged.
//!
//! Never: a private attribute; a text as it was written; a changed pixel; an object that says that its pixels show text
//! or that is in colours, as screenshots are.

mod keep;
mod values;
mod vocabulary;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use snafu::{OptionExt, ensure};

use super::element::{DataSet, Element, Value, trimmed};
use super::encoding::Encoding;
use super::error::{AttributeSnafu, Error, KeySnafu, MayShowTextSnafu};
use super::identity::uid_of;
use super::read::{self, Extent};
use super::write::{self, Meta};
use keep::{Rule, rule};

/// The fewest bytes of a key: with fewer, pseudonyms could be tried out.
const KEY_LENGTH: usize = 16;

/// Attributes of type 2 of Patient, General Study and Frame of Reference, which are there even where nothing is kept of them.
const REQUIRED: &[(Tag, VR)] = &[
    (tags::STUDY_DATE, VR::DA),
    (tags::PATIENT_SEX, VR::CS),
    (tags::STUDY_TIME, VR::TM),
    (tags::ACCESSION_NUMBER, VR::SH),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
    (tags::PATIENT_BIRTH_DATE, VR::DA),
    (tags::STUDY_ID, VR::SH),
    (tags::POSITION_REFERENCE_INDICATOR, VR::LO),
];

/// What was done (PS3.16, CID 7050).
const METHODS: &[(&str, &str)] = &[
    ("113100", "Basic Application Confidentiality Profile"),
    ("113105", "Clean Descriptors Option"),
    (
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    ("113108", "Retain Patient Characteristics Option"),
];

/// Takes out of an object whatever may tell whose it is, and shifts its dates by so many days.
///
/// The patient's ID becomes a pseudonym, and UIDs become others, both by HMAC-SHA-256 under `key`: who has the key can
/// tell that two objects are of one patient, and whether they are of a patient whose ID is known. The shift should
/// differ between patients. The transfer syntax stays.
///
/// # Errors
/// [`Error::NotDicom`], [`Error::Malformed`], [`Error::TransferSyntax`] and [`Error::TooLong`]; [`Error::Attribute`]
/// where the object has no class or UID; [`Error::MayShowText`] where its pixels may identify a patient;
/// [`Error::Key`] where the key is short.
pub fn deidentify(bytes: &[u8], key: &[u8], date_shift_days: i64) -> Result<Vec<u8>, Error> {
    ensure!(key.len() >= KEY_LENGTH, KeySnafu { least: KEY_LENGTH });
    let file = read::file(bytes, Extent::Whole)?;
    ensure!(!may_show_text(&file.set), MayShowTextSnafu);
    let cleaner = Cleaner {
        secrets: Secrets::new(key)?,
        date_shift_days,
        encoding: file.encoding,
    };
    let set = cleaner.object(&file.set);
    let uid = |tag| {
        let uid = set.ascii(tag);
        uid.context(AttributeSnafu { tag })
    };
    let meta = Meta {
        sop_class_uid: uid(tags::SOP_CLASS_UID)?,
        sop_instance_uid: uid(tags::SOP_INSTANCE_UID)?,
        transfer_syntax: &file.transfer_syntax,
        encoding: file.encoding,
    };
    write::file(&meta, &set)
}

/// Whether an object says that its pixels show text, or is in colours.
fn may_show_text(set: &DataSet) -> bool {
    let is_burned_in = set.bytes(tags::BURNED_IN_ANNOTATION) == Some(b"YES");
    let interpretation = set.bytes(tags::PHOTOMETRIC_INTERPRETATION);
    let is_grey = interpretation.is_none_or(|it| it.starts_with(b"MONOCHROME"));
    is_burned_in || !is_grey
}

/// What pseudonyms are made with.
struct Secrets(Hmac<Sha256>);

impl Secrets {
    fn new(key: &[u8]) -> Result<Self, Error> {
        // HMAC takes keys of any length (RFC 2104).
        let mac = Hmac::new_from_slice(key).ok();
        mac.map(Self).context(KeySnafu { least: KEY_LENGTH })
    }

    fn digest(&self, purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = self.0.clone();
        mac.update(purpose.as_bytes());
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }

    /// The UID that takes the place of another.
    fn uid(&self, uid: &[u8]) -> String {
        uid_of(&self.digest("uid", &[uid]))
    }

    /// What takes the place of a patient's ID; of none where there is none.
    fn pseudonym(&self, set: &DataSet) -> String {
        let id = set.bytes(tags::PATIENT_ID).unwrap_or_default();
        if id.is_empty() {
            return String::new();
        }
        let issuer = set.bytes(tags::ISSUER_OF_PATIENT_ID).unwrap_or_default();
        let digest = self.digest("patient", &[id, issuer]);
        let digits = digest.iter().take(8).map(|byte| format!("{byte:02X}"));
        digits.collect()
    }
}

struct Cleaner {
    secrets: Secrets,
    date_shift_days: i64,
    /// How the object's numbers are written.
    encoding: Encoding,
}

impl Cleaner {
    fn object(&self, set: &DataSet) -> DataSet {
        let pseudonym = self.secrets.pseudonym(set);
        let required = REQUIRED.iter();
        let required = required.fold(DataSet::new(), |set, (tag, vr)| set.empty(*tag, *vr));
        let pixels = set.get(tags::PIXEL_DATA);
        let pixels = pixels.filter(|pixels| matches!(pixels.vr, VR::OB | VR::OW));
        let pixels = pixels.map(|pixels| (tags::PIXEL_DATA, pixels.clone()));
        required
            .and(self.items(set))
            .and(DataSet(pixels.into_iter().collect()))
            .text(
                tags::PATIENT_NAME,
                VR::PN,
                &format!("ANONYMOUS^{pseudonym}"),
            )
            .text(tags::PATIENT_ID, VR::LO, &pseudonym)
            .and(self.methods())
    }

    /// What is kept of a data set.
    fn items(&self, set: &DataSet) -> DataSet {
        let kept = set.0.iter().filter_map(|(tag, element)| {
            let value = self.value(rule(*tag)?, element)?;
            let vr = element.vr;
            Some((*tag, Element { vr, value }))
        });
        DataSet(kept.collect())
    }

    /// What is kept of a value; none where it is not of its rule's kind.
    fn value(&self, rule: Rule, element: &Element) -> Option<Value> {
        match &element.value {
            Value::Items(items) => {
                let items = items.iter().map(|item| self.items(item));
                match rule {
                    Rule::Items => Some(Value::Items(items.collect())),
                    Rule::Codes => Some(Value::Items(items.filter_map(values::coded).collect())),
                    _ => None,
                }
            }
            Value::Bytes(bytes) => self.bytes(rule, element.vr, bytes).map(Value::Bytes),
            Value::Fragments(_) => None,
        }
    }

    fn bytes(&self, rule: Rule, vr: VR, bytes: &[u8]) -> Option<Vec<u8>> {
        match (rule, vr) {
            (Rule::Word, VR::US | VR::SS) => values::word(bytes),
            (Rule::Vector, VR::US) => values::vector(bytes, self.encoding),
            (Rule::Pointer, VR::AT) => values::pointers(bytes, self.encoding),
            (Rule::Uid, VR::UI) => Some(self.uids(bytes).into_bytes()),
            (Rule::Words, VR::LO | VR::SH) => {
                Some(values::words(&String::from_utf8_lossy(bytes)).into_bytes())
            }
            _ => {
                let text = std::str::from_utf8(bytes).ok()?;
                self.text(rule, vr, text).map(String::into_bytes)
            }
        }
    }

    fn text(&self, rule: Rule, vr: VR, text: &str) -> Option<String> {
        match (rule, vr) {
            (Rule::Class, VR::UI) => values::class(text).map(str::to_owned),
            (Rule::Date, VR::DA) => values::date(text, self.date_shift_days),
            (Rule::DateTime, VR::DT) => values::date_time(text, self.date_shift_days),
            (Rule::Time, VR::TM) => values::time(text),
            (Rule::Age, VR::AS) => values::age(text),
            (Rule::Number, VR::DS | VR::IS) => values::numbers(text),
            (Rule::Term, VR::CS) => Some(values::terms(text)),
            (Rule::CodeValue, VR::SH) => values::code_value(text).map(str::to_owned),
            (Rule::Scheme, VR::SH) => values::scheme(text).map(str::to_owned),
            _ => None,
        }
    }

    fn uids(&self, bytes: &[u8]) -> String {
        let uids = bytes.split(|byte| *byte == b'\\').map(trimmed);
        let replaced = uids.map(|uid| {
            if uid.is_empty() {
                String::new()
            } else {
                self.secrets.uid(uid)
            }
        });
        replaced.collect::<Vec<_>>().join("\\")
    }

    /// That the object was de-identified, and how (PS3.15, E.1.1, step 10 and 11).
    fn methods(&self) -> DataSet {
        let method = |(value, meaning): &(&str, &str)| {
            DataSet::new()
                .text(tags::CODE_VALUE, VR::SH, value)
                .text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, "DCM")
                .text(tags::CODE_MEANING, VR::LO, meaning)
        };
        let methods = METHODS.iter().map(method).collect();
        DataSet::new()
            .text(tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES")
            .text(
                tags::DEIDENTIFICATION_METHOD,
                VR::LO,
                "attrium: list of what is kept",
            )
            .items(tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE, methods)
            .text(
                tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
                VR::CS,
                "MODIFIED",
            )
    }
}
