//! The private elements that scanners add: a few of each maker's, with invented values.

use dicom_core::{PrimitiveValue, Tag, VR};

use super::attributes::Attributes;
use super::source::{ObjectSource, Side};
use crate::scanner::{PrivateGroup, ViewNaming};

pub(super) fn add(out: &mut Attributes, source: &ObjectSource<'_>) {
    match source.study.scanner.private {
        PrivateGroup::Adac => adac(out, source),
        PrivateGroup::Philips => philips(out),
        PrivateGroup::Siemens => siemens(out, source),
        PrivateGroup::Genie => genie(out, source),
    }
}

/// Reserves a block of private elements: the first of its group.
fn creator(out: &mut Attributes, group: u16, name: &str) {
    out.text(Tag(group, 0x0010), VR::LO, name);
}

fn adac(out: &mut Attributes, source: &ObjectSource<'_>) {
    creator(out, 0x0019, "ADAC_IMG");
    out.text(Tag(0x0019, 0x1002), VR::IS, "200")
        .put(
            Tag(0x0019, 0x10f0),
            VR::US,
            PrimitiveValue::from(source.views.rows as u16),
        )
        .text(Tag(0x0019, 0x10f1), VR::LO, "WB");
}

fn philips(out: &mut Attributes) {
    creator(out, 0x7053, "Philips NM Private");
    out.text(Tag(0x7053, 0x10f0), VR::DS, "1.0")
        .text(Tag(0x7053, 0x10f1), VR::LO, "JETStream");
}

fn siemens(out: &mut Attributes, source: &ObjectSource<'_>) {
    const CREATOR: &str = "SIEMENS MED NM";
    creator(out, 0x0009, CREATOR);
    creator(out, 0x0033, CREATOR);
    let mut nested = Attributes::new();
    nested.text(Tag(0x0040, 0xa160), VR::UT, "PHANTOM");
    out.text(
        Tag(0x0009, 0x10f0),
        VR::LO,
        source.study.person.protocol.to_string(),
    )
    .put(Tag(0x0033, 0x1038), VR::FL, PrimitiveValue::from(1.0f32))
    .text(Tag(0x0033, 0x10f0), VR::LO, "SYNTHETIC")
    .sequence(Tag(0x0033, 0x10f1), vec![nested]);
}

fn genie(out: &mut Attributes, source: &ObjectSource<'_>) {
    const CREATOR: &str = "GEMS_GENIE_1";
    let named = source.study.scanner.naming == ViewNaming::Private;
    let name = match source.sides {
        [side] if named => format!("{}_E", side.name()),
        _ => "PLANAR_E".to_owned(),
    };
    let detector: i32 = match source.sides {
        [Side::Posterior] => 2,
        _ => 1,
    };
    creator(out, 0x0009, CREATOR);
    creator(out, 0x0011, CREATOR);
    creator(out, 0x0013, CREATOR);
    out.text(Tag(0x0009, 0x1010), VR::LO, "WB BONE")
        .put(Tag(0x0009, 0x1011), VR::SL, PrimitiveValue::from(1i32))
        .text(
            Tag(0x0009, 0x1040),
            VR::PN,
            format!("PHANTOM^{:06}", source.study.patient),
        )
        .text(Tag(0x0011, 0x100d), VR::LO, "Tc99m")
        .text(Tag(0x0011, 0x1012), VR::LO, name.clone())
        .put(Tag(0x0011, 0x1015), VR::SL, PrimitiveValue::from(detector))
        .text(Tag(0x0011, 0x1030), VR::LO, name)
        .put(Tag(0x0013, 0x1016), VR::SL, PrimitiveValue::from(140i32));
}
