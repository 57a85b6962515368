//! Which part of the body an image shows, by the words that objects name it with.

use super::dicom::{self, AttributeError, DataSet};

/// What an object says of the part of the body that its image shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatedRegion {
    /// The thorax, or the heart or another part of it.
    Thorax,
    /// Another part of the body.
    Elsewhere,
    /// Nothing, or nothing that is understood.
    Unknown,
}

/// Words of the thorax in plain capital letters, in English, German, French, Spanish, Italian, Finnish and
/// Swedish; those of `..._STEMS` begin words.
const THORAX: &[&str] = &[
    "RIB", "RIBS", "LUNG", "LUNGS", "HEART", "TSPINE", "BWS", "PECHO", "PETTO", "CUORE", "COEUR",
];
const THORAX_STEMS: &[&str] = &[
    "THORA", "TORAX", "TORAC", "CHEST", "CARDIA", "CORAZON", "HERZ", "HJART", "SYDAN", "SYDAM",
    "RIPPEN", "BRUST", "BROST", "STERN", "POITRINE", "COSTAL", "COSTIL", "REVBEN", "KYLKILU",
    "RINTA",
];

/// Words of other parts. French FACE and English MAIN are none of them: they stand for the front, and for what
/// matters most.
const ELSEWHERE: &[&str] = &[
    "HEAD", "NECK", "HIP", "HIPS", "LEG", "LEGS", "KNEE", "KNEES", "FOOT", "FEET", "HAND", "HANDS",
    "LSPINE", "KOPF", "HALS", "HWS", "LWS", "KNIE", "FUSS", "FUESSE", "FUSSE", "HAENDE", "HANDE",
    "NIERE", "NIEREN", "TETE", "COU", "MAINS", "PIED", "PIEDS", "GENOU", "GENOUX", "JAMBE",
    "JAMBES", "CUISSE", "CUISSES", "COUDE", "REINS", "CABEZA", "CUELLO", "MANO", "MANOS", "PIE",
    "PIES", "PIERNA", "PIERNAS", "CODO", "TESTA", "COLLO", "MANI", "PIEDE", "PIEDI", "GAMBA",
    "GAMBE", "ANCA", "ANCHE", "POLSO", "PAA", "POLVI", "POLVET", "POLVIEN", "KADET", "KASIEN",
    "JALAT", "JALKA", "VATSA", "HUVUD", "BACKEN", "BACKENET", "KNA", "KNAN", "FOT", "FOTTER",
    "HANDER", "BUK",
];
const ELSEWHERE_STEMS: &[&str] = &[
    "SKULL",
    "SCHAEDEL",
    "SCHADEL",
    "CRAN",
    "KRANI",
    "SKALLE",
    "KALLO",
    "PELVI",
    "BECKEN",
    "BASSIN",
    "BACINO",
    "LANTIO",
    "FEMUR",
    "FEMOR",
    "TIBIA",
    "ANKLE",
    "FOREARM",
    "ELBOW",
    "WRIST",
    "LUMBA",
    "LOMBA",
    "LANDRYGG",
    "LANNERANKA",
    "ABDOM",
    "BLADDER",
    "HARNBLASE",
    "VESSIE",
    "VEJIGA",
    "VESCICA",
    "KIDNEY",
    "RINON",
    "THYR",
    "TIROID",
    "SCHILDDR",
    "KILPIRAU",
    "SKOLDK",
    "HANDGELENK",
    "ELLBOGEN",
    "ELLENBOGEN",
    "SPRUNGGELENK",
    "OBERSCHENKEL",
    "UNTERSCHENKEL",
    "KNIEGELENK",
    "HUEFT",
    "HUFT",
    "HANCHE",
    "CADERA",
    "CHEVILLE",
    "TOBILLO",
    "CAVIGLIA",
    "POIGNET",
    "MUNECA",
    "GOMITO",
    "RODILLA",
    "GINOCCHI",
    "LONKKA",
    "RANTEE",
    "NILKKA",
    "KYYNARP",
    "HOFT",
    "HANDLED",
    "ARMBAG",
];

/// What an object says: its own name of the image outweighs the series', this the protocol's, and all of them
/// Body Part Examined, which sites leave at what was set for another examination.
pub(super) fn stated(set: &DataSet<'_>) -> Result<StatedRegion, AttributeError> {
    let mut of_image = dicom::image_ids(set)?;
    of_image.extend(dicom::ge_picture_names(set));
    let mut of_series = dicom::series_descriptions(set)?;
    of_series.extend(dicom::ge_dataset_names(set));
    let of_protocol = dicom::protocol_name(set)?.into_iter().collect();
    let of_part = dicom::body_part(set)?.into_iter().collect();
    let all: [Vec<String>; 4] = [of_image, of_series, of_protocol, of_part];
    let mut regions = all.iter().map(|texts| of_texts(texts));
    let known = regions.find(|region| *region != StatedRegion::Unknown);
    Ok(known.unwrap_or(StatedRegion::Unknown))
}

/// A text that names the thorax and another part names an image of both.
fn of_texts(texts: &[String]) -> StatedRegion {
    let words: Vec<String> = texts.iter().flat_map(|text| dicom::words(text)).collect();
    let names = |whole: &[&str], stems: &[&str]| {
        words.iter().any(|word| {
            whole.contains(&word.as_str()) || stems.iter().any(|stem| word.starts_with(stem))
        })
    };
    if names(THORAX, THORAX_STEMS) {
        StatedRegion::Thorax
    } else if names(ELSEWHERE, ELSEWHERE_STEMS) {
        StatedRegion::Elsewhere
    } else {
        StatedRegion::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_all(texts: &[&str], region: StatedRegion) {
        for text in texts {
            assert_eq!(of_texts(&[(*text).to_owned()]), region, "{text}");
        }
    }

    #[test]
    fn the_thorax_is_known_in_the_languages_of_sites() {
        assert_all(
            &[
                "CHEST",
                "Thorax ant",
                "THORACIC",
                "Thoraxaufnahme",
                "Brustkorb",
                "Rippen",
                "coeur face",
                "thoracique",
                "gril costal",
                "tórax",
                "corazón",
                "torace",
                "cuore",
                "rintakehä",
                "sydän",
                "bröstkorg",
                "hjärta",
                "THORAX ABDOMEN",
                "TSPINE",
            ],
            StatedRegion::Thorax,
        );
    }

    #[test]
    fn other_parts_are_known_in_the_languages_of_sites() {
        assert_all(
            &[
                "PELVIS",
                "Becken",
                "Beckenübersicht",
                "bassin face",
                "bacino",
                "lantio",
                "bäcken",
                "knees",
                "Kniegelenke",
                "genoux",
                "rodillas",
                "ginocchia",
                "polvet",
                "knän",
                "skull",
                "Schädel",
                "crâne",
                "cráneo",
                "cranio",
                "kallo",
                "skalle",
                "Hände",
                "mains",
                "manos",
                "mani",
                "kädet",
                "händer",
                "Füße",
                "pieds",
                "feet",
                "LWS",
            ],
            StatedRegion::Elsewhere,
        );
    }

    #[test]
    fn a_word_that_is_no_part_of_the_body_leaves_it_unknown() {
        assert_all(
            &[
                "",
                "STATIC",
                "FACE",
                "main window",
                "ANT 3H",
                "Benskintigrafi",
                "knochenszintigraphie",
            ],
            StatedRegion::Unknown,
        );
    }
}
