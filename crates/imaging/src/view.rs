//! From where an image looks at the patient, by the codes and the words that objects name it with.

use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr};

use super::dicom::{self, Code};

/// The side from which an image shows the patient.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, Serialize)]
pub enum View {
    /// From the front.
    Anterior,
    /// From the back.
    Posterior,
    /// From a side or obliquely.
    Other,
    /// Nothing that was understood names it.
    Unknown,
}

/// How the view of an image is known, the surest first.
#[derive(
    Clone,
    Copy,
    Debug,
    Display,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    EnumString,
    IntoStaticStr,
)]
pub enum ViewSource {
    /// View Code Sequence (0054,0220).
    ViewCode,
    /// Image ID (0054,0400).
    ImageId,
    /// Series Description (0008,103E).
    SeriesDescription,
    /// GE's private names, (0011,xx12) or (0011,xx30).
    GePrivate,
    /// Image Orientation (Patient) (0020,0037) or Patient Orientation (0020,0020).
    Orientation,
    /// No attribute names it: the image itself shows the front of the patient.
    Image,
}

/// Nuclear medicine projections by the code of SNOMED CT and its retired SNOMED-RT style code
/// (PS3.16, CID 26; the pairs are in PS3.16, Annex O), and the plain directions "anterior" and
/// "posterior", which some exporters write instead.
const CODES: &[(&str, &str, View)] = &[
    ("399321004", "G-5215", View::Anterior),
    ("255549009", "R-404CC", View::Anterior),
    ("399001007", "G-5216", View::Posterior),
    ("255551008", "R-404CE", View::Posterior),
    ("399074003", "G-5207", View::Other),
    ("399136008", "G-5209", View::Other),
    ("399108003", "G-5206", View::Other),
    ("399075002", "G-5208", View::Other),
    ("399118008", "G-5223", View::Other),
    ("399297009", "G-5222", View::Other),
    ("49370004", "G-A104", View::Other),
    ("399012007", "G-5220", View::Other),
    ("399300004", "G-5221", View::Other),
    ("399268006", "G-5224", View::Other),
    ("399159002", "G-5225", View::Other),
    ("24422004", "G-A147", View::Other),
    ("81654009", "G-A138", View::Other),
    ("30730003", "G-A145", View::Other),
    ("62824007", "G-A117", View::Other),
    ("399089007", "G-5210", View::Other),
    ("399273000", "G-5212", View::Other),
    ("103340004", "G-A186", View::Other),
    ("131185001", "G-A18A", View::Other),
    ("131186000", "G-A18B", View::Other),
];

/// The view that a coded entry names; unknown where it is not understood.
///
/// The value decides where it is one of these of SNOMED ([`Code::is`]); otherwise the meaning's words do.
pub(super) fn of_code(code: &Code) -> View {
    let mut coded = CODES.iter();
    let coded = coded.find(|(current, retired, _)| code.is(current, retired));
    coded.map_or_else(|| of_text(&code.meaning), |&(.., view)| view)
}

/// Words that say that a detector looks from the front, as they are typed in English, German, French,
/// Spanish, Italian, Finnish and Swedish.
const ANTERIOR: &[&str] = &[
    "ANT",
    "ANTE",
    "WBANT",
    "ANTWB",
    "FRONT",
    "VORN",
    "VORNE",
    "VORDERANSICHT",
    "VENTRAL",
    "VENTRALE",
    "DEVANT",
    "DAVANTI",
    "DELANTE",
    "ETU",
    "EDESTA",
    "ETUKUVA",
    "ETUPUOLI",
    "ETUPUOLELTA",
    "ETUSUUNTA",
    "FRAM",
    "FRAMIFRAN",
    "FRAMSIDA",
];

/// Words for the front that stand for the face too, or beside a word for another view: "face post" is a view
/// from behind.
const FACE: &[&str] = &["FACE", "FRENTE", "FRONTE"];

const POSTERIOR: &[&str] = &[
    "WBPOST",
    "POSTWB",
    "WBPOS",
    "HINTEN",
    "DORSAL",
    "DORSALE",
    "RUCKEN",
    "RUECKEN",
    "RUCKANSICHT",
    "RUECKANSICHT",
    "DOS",
    "ARRIERE",
    "ESPALDA",
    "DETRAS",
    "DIETRO",
    "TAKA",
    "TAKAA",
    "TAKAKUVA",
    "TAKAPUOLI",
    "TAKAPUOLELTA",
    "TAKASUUNTA",
    "SELKA",
    "BAK",
    "BAKIFRAN",
    "BAKSIDA",
    "RYGG",
];

const OTHER: &[&str] = &[
    "LAO", "RAO", "LPO", "RPO", "OBL", "OBLIQUE", "OBLIQUA", "OBLIQUO", "OBLICUA", "OBLICUO",
    "LAT", "LATERAL", "LATERALE", "LLAT", "RLAT", "SEITLICH", "SCHRAG", "SCHRAEG", "PROFIL",
    "PROFILO", "PERFIL", "SIVU", "SIVUKUVA", "SIVULTA", "VIISTO", "SIDAN", "SNED", "VERTEX",
];

/// Words beside which DORSAL and DOS name no view: the dorsal spine, and "two" in Spanish.
const DORSAL_SPINE: &[&str] = &[
    "RACHIS",
    "COLUMNA",
    "COLONNE",
    "COLONNA",
    "SPINE",
    "VERTEBRAL",
    "VERTEBRALE",
];
const COUNTED: &[&str] = &["DETECTORES", "CABEZALES", "FASES", "HORAS", "VISTAS"];

/// What may stand beside "post" where it names the view; beside anything else it may mean "after".
const BESIDE_POST: &[&str] = &[
    "WB",
    "WHOLE",
    "BODY",
    "WHOLEBODY",
    "BONE",
    "SCAN",
    "VIEW",
    "IMAGE",
    "E",
    "F",
    "EM",
    "EMISSION",
    "STATIC",
    "PLANAR",
    "PROJECTION",
    "SKELETON",
    "CHEST",
    "THORAX",
    "TORSO",
    "HEART",
    "SPINE",
    "PELVIS",
    "SKULL",
    "HEAD",
    "KNEES",
    "FEET",
    "LEGS",
    "ANT",
    "ANTE",
    "ANTERIOR",
    "GANZKORPER",
    "GANZKOERPER",
    "KNOCHEN",
    "VUE",
    "FACE",
    "CORPS",
    "ENTIER",
    "OS",
    "VISTA",
    "CUERPO",
    "ENTERO",
    "COMPLETO",
    "CORPO",
    "INTERO",
    "TOTAL",
    "KOKO",
    "KEHO",
    "LUUSTO",
    "HELKROPP",
    "SKELETT",
    "DET",
    "DETECTOR",
    "HD",
];

/// The view that a free text names, if it names just one.
pub(super) fn of_text(text: &str) -> View {
    let tokens = dicom::tokens(text);
    let word = |place: Option<usize>| {
        place
            .and_then(|place| tokens.get(place))
            .map(String::as_str)
    };
    let named: Vec<View> = (0..tokens.len())
        .filter_map(|place| {
            let before = word(place.checked_sub(1));
            of_word(&tokens[place], before, word(Some(place + 1)))
        })
        .collect();
    let has_face = tokens.iter().any(|token| FACE.contains(&token.as_str()));
    let has = |view| named.contains(&view);
    match (has(View::Anterior), has(View::Posterior), has(View::Other)) {
        (true, true, _) => View::Unknown,
        (_, _, true) if has_face => View::Unknown,
        (_, _, true) => View::Other,
        (_, true, _) => View::Posterior,
        (true, _, _) => View::Anterior,
        (false, false, false) if has_face => View::Anterior,
        (false, false, false) => View::Unknown,
    }
}

fn of_word(word: &str, before: Option<&str>, after: Option<&str>) -> Option<View> {
    let beside = |words: &[&str]| {
        [before, after]
            .into_iter()
            .flatten()
            .any(|it| words.contains(&it))
    };
    if word.starts_with("ANTEROLAT") || word.starts_with("POSTEROLAT") || OTHER.contains(&word) {
        return Some(View::Other);
    }
    if ANTERIOR.contains(&word) || word.starts_with("ANTERI") {
        return Some(View::Anterior);
    }
    let names_back = match word {
        "POST" => is_view(before) && is_view(after),
        // Also short for "position" and "positive".
        "POS" => is_view(before) && after.is_none_or(|after| ["E", "F"].contains(&after)),
        "DORSAL" | "DORSALE" => !beside(DORSAL_SPINE),
        "DOS" => !beside(COUNTED) && after.is_none_or(|after| after != "H"),
        _ => POSTERIOR.contains(&word) || word.starts_with("POSTERI"),
    };
    names_back.then_some(View::Posterior)
}

/// Whether what is beside "post" leaves it the name of a view: nothing, or a word about the image.
fn is_view(beside: Option<&str>) -> bool {
    beside.is_none_or(|beside| BESIDE_POST.contains(&beside))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(value: &str, scheme: &str, meaning: &str) -> Code {
        Code {
            value: value.to_owned(),
            scheme: scheme.to_owned(),
            meaning: meaning.to_owned(),
        }
    }

    #[test]
    fn current_and_retired_codes_name_the_same_view() {
        for (value, scheme) in [
            ("399321004", "SCT"),
            ("G-5215", "SRT"),
            ("G-5215", "SNM3"),
            ("G-5215", "99SDM"),
        ] {
            assert_eq!(of_code(&code(value, scheme, "")), View::Anterior);
        }
        for (value, scheme) in [("399001007", "SCT"), ("G-5216", "SRT")] {
            assert_eq!(of_code(&code(value, scheme, "")), View::Posterior);
        }
    }

    #[test]
    fn a_code_of_another_scheme_counts_by_its_meaning_only() {
        assert_eq!(of_code(&code("G-5215", "99LOCAL", "")), View::Unknown);
        assert_eq!(of_code(&code("399321004", "SRT", "")), View::Unknown);
        assert_eq!(
            of_code(&code("7", "99LOCAL", "Posterior projection")),
            View::Posterior
        );
    }

    #[test]
    fn a_code_outweighs_its_meaning() {
        assert_eq!(
            of_code(&code("399001007", "SCT", "Anterior")),
            View::Posterior
        );
    }

    fn assert_names(view: View, texts: &[&str]) {
        for text in texts {
            assert_eq!(of_text(text), view, "{text}");
        }
    }

    #[test]
    fn texts_name_views_by_whole_words() {
        assert_names(
            View::Anterior,
            &[
                "WB_ANT",
                "Anterior whole body",
                "WholeBodyAnt",
                "ANTERIOR/ANT",
                "ANT_E",
                "ANT1",
            ],
        );
        assert_names(
            View::Posterior,
            &[
                "POSTERIOR_E",
                "wb post",
                "POST",
                "WB POS",
                "WB_POS",
                "POS",
                "POST_E",
                "POST WB",
                "Post View",
            ],
        );
        assert_names(
            View::Other,
            &["RAO", "ANT OBLIQUE", "L LAT", "Posterolateral"],
        );
        assert_names(
            View::Unknown,
            &[
                "ANT+POST",
                "WHOLE BODY_E",
                "IMPLANT",
                "COMPOST",
                "",
                "POS 1",
                "bed pos",
                "HEAD POS 2",
            ],
        );
    }

    #[test]
    fn post_that_may_mean_after_names_no_view() {
        assert_names(
            View::Unknown,
            &[
                "BONE 3H POST INJ",
                "BONE POST MDP",
                "POST 3 HRS",
                "WB 3h post HMDP",
                "BONE 3H POST",
                "POST PROSTATECTOMY",
                "Post Mastectomy",
                "post therapy",
                "Status post fracture",
                "post-op",
                "POSTOP",
                "postInjection",
                "24 h post",
                "post Chemo",
                "POST3H",
            ],
        );
        assert_names(
            View::Anterior,
            &["ANT 3H POST INJECTION", "Anterior post Mastectomy"],
        );
    }

    #[test]
    fn views_are_named_in_the_languages_of_sites() {
        assert_names(
            View::Anterior,
            &[
                "Ganzkörper von vorne",
                "Ventral",
                "coeur face",
                "Vue antérieure",
                "FACE ANT",
                "ANTÉRIEUR",
                "Cuerpo entero anterior",
                "de frente",
                "Corpo intero anteriore",
                "davanti",
                "koko keho etu",
                "edestä",
                "Helkropp fram",
                "framifrån",
            ],
        );
        assert_names(
            View::Posterior,
            &[
                "Ganzkörper von hinten",
                "dorsal",
                "Corps entier dos",
                "FACE POST",
                "vue de dos",
                "face postérieure",
                "POSTÉRIEUR",
                "Cuerpo entero posterior",
                "espalda",
                "posteriore",
                "dietro",
                "koko keho taka",
                "takaa",
                "Helkropp bak",
                "bakifrån",
                "Rücken",
            ],
        );
        assert_names(
            View::Other,
            &[
                "seitlich",
                "schräg",
                "profil",
                "PERFIL",
                "obliqua",
                "sivu",
                "från sidan",
            ],
        );
        assert_names(
            View::Unknown,
            &[
                "étude osseuse",
                "rachis dorsal",
                "dos detectores",
                "Ganzkörper",
                "vorne und hinten",
            ],
        );
    }
}
