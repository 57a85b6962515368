//! From a data set to the bytes of a DICOM file (PS3.10, 7).
//!
//! Equal data sets give equal bytes: lengths are defined, and elements lie in the order of their tags.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use snafu::OptionExt;

use super::element::{DataSet, Element, Value};
use super::encoding::{Encoding, ITEM, SEQUENCE_END, UNDEFINED, is_short};
use super::error::{Error, TooLongSnafu};
use super::read::PREAMBLE;

/// Names this implementation (PS3.7, D.3.3.2): a UUID of its own as PS3.5, B.2 has it.
const IMPLEMENTATION_CLASS_UID: &str = "2.25.243429453850574880717344221266109701671";
const IMPLEMENTATION_VERSION_NAME: &str = concat!("ATTRIUM_", env!("CARGO_PKG_VERSION"));

/// What the file meta information says of its data set.
pub(crate) struct Meta<'a> {
    pub sop_class_uid: &'a str,
    pub sop_instance_uid: &'a str,
    pub transfer_syntax: &'a str,
    pub encoding: Encoding,
}

/// A data set as a DICOM file.
///
/// # Errors
/// [`Error::TooLong`].
pub(crate) fn file(meta: &Meta<'_>, set: &DataSet) -> Result<Vec<u8>, Error> {
    let information = DataSet::new()
        .with(tags::FILE_META_INFORMATION_VERSION, VR::OB, vec![0, 1])
        .text(
            tags::MEDIA_STORAGE_SOP_CLASS_UID,
            VR::UI,
            meta.sop_class_uid,
        )
        .text(
            tags::MEDIA_STORAGE_SOP_INSTANCE_UID,
            VR::UI,
            meta.sop_instance_uid,
        )
        .text(tags::TRANSFER_SYNTAX_UID, VR::UI, meta.transfer_syntax)
        .text(
            tags::IMPLEMENTATION_CLASS_UID,
            VR::UI,
            IMPLEMENTATION_CLASS_UID,
        )
        .text(
            tags::IMPLEMENTATION_VERSION_NAME,
            VR::SH,
            IMPLEMENTATION_VERSION_NAME,
        );
    let information = data_set(&information, Encoding::EXPLICIT)?;
    let length = (information.len() as u32).to_le_bytes().to_vec();
    let length = DataSet::new().with(tags::FILE_META_INFORMATION_GROUP_LENGTH, VR::UL, length);
    let mut file = vec![0; PREAMBLE];
    file.extend(b"DICM");
    file.extend(data_set(&length, Encoding::EXPLICIT)?);
    file.extend(information);
    file.extend(data_set(set, meta.encoding)?);
    Ok(file)
}

fn data_set(set: &DataSet, encoding: Encoding) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    for (tag, element) in &set.0 {
        write(*tag, element, encoding, &mut out)?;
    }
    Ok(out)
}

fn write(tag: Tag, element: &Element, encoding: Encoding, out: &mut Vec<u8>) -> Result<(), Error> {
    let vr = element.vr;
    match &element.value {
        Value::Bytes(bytes) => {
            header(
                tag,
                vr,
                length(tag, bytes.len() + bytes.len() % 2)?,
                encoding,
                out,
            )?;
            out.extend(bytes);
            if bytes.len() % 2 == 1 {
                out.push(padding(vr));
            }
        }
        Value::Items(items) => {
            let mut inside = Vec::new();
            for item in items {
                let item = data_set(item, encoding)?;
                inside.extend(encoding.of_tag(ITEM));
                inside.extend(encoding.of_u32(length(tag, item.len())?));
                inside.extend(item);
            }
            header(tag, vr, length(tag, inside.len())?, encoding, out)?;
            out.extend(inside);
        }
        Value::Fragments(fragments) => {
            header(tag, vr, UNDEFINED, encoding, out)?;
            for fragment in fragments {
                out.extend(encoding.of_tag(ITEM));
                out.extend(encoding.of_u32(length(tag, fragment.len())?));
                out.extend(fragment);
            }
            out.extend(encoding.of_tag(SEQUENCE_END));
            out.extend(encoding.of_u32(0));
        }
    }
    Ok(())
}

/// The tag, the value representation and the length of an element (PS3.5, 7.1.2 and 7.1.3).
fn header(
    tag: Tag,
    vr: VR,
    length: u32,
    encoding: Encoding,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    out.extend(encoding.of_tag(tag));
    if !encoding.has_vr {
        out.extend(encoding.of_u32(length));
        return Ok(());
    }
    out.extend(vr.to_bytes());
    if is_short(vr) {
        let length = u16::try_from(length).ok().context(TooLongSnafu { tag })?;
        out.extend(encoding.of_u16(length));
    } else {
        out.extend([0, 0]);
        out.extend(encoding.of_u32(length));
    }
    Ok(())
}

fn length(tag: Tag, bytes: usize) -> Result<u32, Error> {
    let length = u32::try_from(bytes).ok();
    length
        .filter(|length| *length != UNDEFINED)
        .context(TooLongSnafu { tag })
}

/// What makes a value's length even (PS3.5, 6.2).
const fn padding(vr: VR) -> u8 {
    match vr {
        VR::UI | VR::OB | VR::UN => 0,
        _ => b' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{self, Extent};

    const EXPLICIT: &str = "1.2.840.10008.1.2.1";

    fn nested(depth: usize) -> DataSet {
        let set = DataSet::new().text(tags::PATIENT_NAME, VR::PN, "odd");
        match depth {
            0 => set,
            _ => set.items(
                tags::REQUEST_ATTRIBUTES_SEQUENCE,
                vec![nested(depth - 1), nested(depth - 1)],
            ),
        }
    }

    fn written(set: &DataSet, transfer_syntax: &str) -> Result<Vec<u8>, Error> {
        let meta = Meta {
            sop_class_uid: "1.2",
            sop_instance_uid: "1.2.3",
            transfer_syntax,
            encoding: Encoding::of(transfer_syntax).expect("should be known"),
        };
        file(&meta, set)
    }

    #[test]
    fn what_is_written_is_read_in_every_encoding() {
        for transfer_syntax in ["1.2.840.10008.1.2", EXPLICIT, "1.2.840.10008.1.2.2"] {
            let bytes = written(&nested(3), transfer_syntax).expect("should be written");
            let file = read::file(&bytes, Extent::Whole).expect("should be read");
            assert_eq!(file.transfer_syntax, transfer_syntax);
            let again = written(&file.set, transfer_syntax).expect("should be written");
            assert!(bytes == again, "{transfer_syntax}");
            assert!(read::file(&bytes[PREAMBLE..], Extent::Header).is_ok());
        }
    }

    #[test]
    fn an_object_that_nests_without_end_or_is_cut_is_refused() {
        let mut deep = nested(0);
        for _ in 0..40 {
            deep = DataSet::new().items(tags::REQUEST_ATTRIBUTES_SEQUENCE, vec![deep]);
        }
        let bytes = written(&deep, EXPLICIT).expect("should be written");
        let refused = read::file(&bytes, Extent::Whole).map(|_| ());
        assert!(matches!(refused, Err(Error::Malformed { .. })));
        let bytes = written(&nested(2), EXPLICIT).expect("should be written");
        let refused = read::file(&bytes[..bytes.len() - 1], Extent::Whole).map(|_| ());
        assert!(matches!(refused, Err(Error::Malformed { .. })));
    }

    #[test]
    fn a_value_that_its_length_cannot_tell_is_refused() {
        let tag = tags::PATIENT_NAME;
        let longest = DataSet::new().with(tag, VR::PN, vec![b'x'; 65_534]);
        assert!(written(&longest, EXPLICIT).is_ok());
        let longer = DataSet::new().with(tag, VR::PN, vec![b'x'; 65_535]);
        assert_eq!(written(&longer, EXPLICIT), Err(Error::TooLong { tag }));
    }
}
