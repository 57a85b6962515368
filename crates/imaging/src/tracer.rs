//! Which radiopharmaceutical was given, by the codes and the words that objects name it with.

use super::dicom::{Code, Radiopharmaceutical, words};
use attrium_types::Tracer;

/// What an object says of its radiopharmaceutical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatedTracer {
    /// A bone tracer.
    Bone(Tracer),
    /// Another one, or another radionuclide than technetium-99m.
    Other,
    /// A name that is not known here.
    Unknown,
    /// Nothing.
    NotStated,
}

/// Bone tracers by their codes of SNOMED CT and of its retired SRT style (PS3.16, CID 25).
const TRACERS: &[(&str, &str, Tracer)] = &[
    ("53951001", "C-B1213", Tracer::Hmdp),
    ("764821009", "", Tracer::Pyp),
    ("96390006", "C-B1218", Tracer::Mdp),
];

/// Technetium-99m (PS3.16, CID 18).
const TECHNETIUM: (&str, &str) = ("72454006", "C-163A8");

/// Words that name a tracer, whole or as the beginning of a word, as they are typed.
const NAMES: &[(&str, Option<Tracer>)] = &[
    ("HMDP", Some(Tracer::Hmdp)),
    ("HDP", Some(Tracer::Hmdp)),
    ("OXIDRON", Some(Tracer::Hmdp)),
    ("HYDROXYMETHYL", Some(Tracer::Hmdp)),
    ("OSTEOCIS", Some(Tracer::Hmdp)),
    ("DPD", Some(Tracer::Dpd)),
    ("BUTEDRON", Some(Tracer::Dpd)),
    ("TECEOS", Some(Tracer::Dpd)),
    ("DICARBOXYPROPAN", Some(Tracer::Dpd)),
    ("PYP", Some(Tracer::Pyp)),
    ("PYROPHOS", Some(Tracer::Pyp)),
    ("PYROFOS", Some(Tracer::Pyp)),
    ("PIROFOS", Some(Tracer::Pyp)),
    ("MDP", Some(Tracer::Mdp)),
    ("MEDRON", Some(Tracer::Mdp)),
    ("METHYLENDIPHOS", Some(Tracer::Mdp)),
    ("METHYLENEDIPHOS", Some(Tracer::Mdp)),
    ("HEDP", None),
    ("ETIDRON", None),
    ("MIBI", None),
    ("SESTAMIBI", None),
    ("CARDIOLITE", None),
    ("TETROFOSMIN", None),
    ("MYOVIEW", None),
    ("MAA", None),
    ("MACROAGG", None),
    ("DTPA", None),
    ("PENTETATE", None),
    ("MAG", None),
    ("MERTIATIDE", None),
    ("TIATID", None),
    ("DMSA", None),
    ("SUCCIMER", None),
    ("PERTECHNETAT", None),
    ("PERTEKNET", None),
    ("PERTECNET", None),
    ("TCO", None),
    ("COLLOID", None),
    ("KOLLOID", None),
    ("COLOID", None),
    ("NANOCOLL", None),
    ("NANOCIS", None),
    ("NANO", None),
    ("HMPAO", None),
    ("EXAMETAZIM", None),
    ("CERETEC", None),
    ("BICISAT", None),
    ("ECD", None),
    ("NEUROLITE", None),
    ("IDA", None),
    ("HIDA", None),
    ("BRIDA", None),
    ("MEBROFENIN", None),
    ("DISOFENIN", None),
    ("ERYTHRO", None),
    ("RBC", None),
    ("RED", None),
    ("LEUKO", None),
    ("LEUCO", None),
    ("SULESOMAB", None),
    ("BESILESOMAB", None),
    ("SCINTIMUN", None),
    ("PSMA", None),
    ("TEKTROTYD", None),
    ("OCTREO", None),
    ("PENTETREOTID", None),
    ("MIBG", None),
    ("IOBENGUAN", None),
    ("IODID", None),
    ("JODID", None),
    ("IODURE", None),
    ("IOFLUPAN", None),
    ("DATSCAN", None),
    ("TSCAN", None),
    ("GALLIUM", None),
    ("CITRAT", None),
    ("THALL", None),
    ("THALIUM", None),
    ("TALIO", None),
    ("TALLIUM", None),
    ("XENON", None),
    ("KRYPTON", None),
    ("INDIUM", None),
    ("SAMARIUM", None),
    ("LEXIDRON", None),
    ("QUADRAMET", None),
    ("RADIUM", None),
    ("XOFIGO", None),
    ("LUTETIUM", None),
    ("DOTATAT", None),
    ("DOTATOC", None),
    ("FLUOR", None),
    ("FDG", None),
];

/// Radionuclides by their symbols, as they are typed before or after a mass number.
const SYMBOLS: &[&str] = &[
    "I", "J", "IN", "GA", "TL", "XE", "KR", "SM", "RA", "LU", "Y", "F", "CR", "CO", "SR", "RE",
];

/// What an object says of its radiopharmaceutical (PS3.3, C.8.4.10). Of several, one that is none of bone
/// decides: its photons are on the image too.
pub(super) fn stated(given: &[Radiopharmaceutical]) -> StatedTracer {
    let mut found = StatedTracer::NotStated;
    for given in given {
        let stated = match (of_nuclide(given), of_tracer(given)) {
            (Some(false), _) | (_, StatedTracer::Other) => return StatedTracer::Other,
            (_, stated) => stated,
        };
        found = match (found, stated) {
            (found, StatedTracer::NotStated) => found,
            (StatedTracer::NotStated, stated) => stated,
            (found, stated) if found == stated => found,
            _ => StatedTracer::Unknown,
        };
    }
    found
}

fn of_tracer(given: &Radiopharmaceutical) -> StatedTracer {
    let by_code = given.code.as_ref().map(of_code);
    let by_name = given.name.as_deref().map(of_text);
    match (by_code, by_name) {
        (Some(Some(known)), _) => known,
        (_, Some(Some(known))) => known,
        (None, None) => StatedTracer::NotStated,
        _ => StatedTracer::Unknown,
    }
}

fn of_code(code: &Code) -> Option<StatedTracer> {
    let coded = TRACERS
        .iter()
        .find(|(current, retired, _)| code.is(current, retired));
    coded
        .map(|&(.., tracer)| StatedTracer::Bone(tracer))
        .or_else(|| of_text(&code.meaning))
        .or_else(|| code.is_snomed().then_some(StatedTracer::Other))
}

/// The tracer that a text names; none where it names none that is known here.
fn of_text(text: &str) -> Option<StatedTracer> {
    let words = words(text);
    let named = |word: &String| {
        let mut known = NAMES.iter().filter(|(name, _)| is_name(word, name));
        known.next().map(|&(_, tracer)| tracer)
    };
    let tracers: Vec<Option<Tracer>> = words.iter().filter_map(named).collect();
    let first = *tracers.first()?;
    Some(match first {
        _ if tracers.contains(&None) => StatedTracer::Other,
        Some(tracer) if tracers.iter().all(|&other| other == first) => StatedTracer::Bone(tracer),
        _ => StatedTracer::Unknown,
    })
}

/// Short names are whole words: MAG is in MAGNEVIST too.
fn is_name(word: &str, name: &str) -> bool {
    word == name || name.len() > 4 && word.starts_with(name)
}

/// Whether the radionuclide is technetium-99m, where it is stated.
fn of_nuclide(given: &Radiopharmaceutical) -> Option<bool> {
    let code = given.nuclide.as_ref()?;
    let (current, retired) = TECHNETIUM;
    if code.is(current, retired) {
        return Some(true);
    }
    let words = words(&code.meaning);
    if words.iter().any(|word| {
        word == "TC"
            || word.starts_with("TECHN")
            || word.starts_with("TEKN")
            || word.starts_with("TECN")
    }) {
        return Some(true);
    }
    let is_other = code.is_snomed()
        || words.iter().any(|word| SYMBOLS.contains(&word.as_str()))
        || words.iter().any(|word| {
            NAMES
                .iter()
                .any(|(name, tracer)| tracer.is_none() && is_name(word, name))
        });
    is_other.then_some(false)
}
