//! A shard: crops in a safetensors file, and a table with a row for each.
//!
//! The crops' file holds the SHA-256 of the table and of its own crops, so that a torn pair or a
//! changed byte is noticed, and the digest of the labels, which decide every pseudonym. While a shard
//! is made it holds its crops and nothing else of an image: 32 KiB each where the counts are whole
//! numbers below 65,536, as a camera's are, else 64 KiB.

use std::convert::Infallible;

use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use snafu::{OptionExt, ensure};

use super::error::{CropSizeSnafu, Error, ShardSnafu};
use super::record::{self, Record};
use attrium_imaging::{CROP_PIXELS, CROP_SIZE};

const FORMAT: &str = "attrium-shard-3";
/// The header's field for the digest of the labels.
const LABELS: &str = "labels_sha256";

/// The shard, from 0 to `shards - 1`, to which an object belongs.
///
/// It is the first 8 bytes of the SHA-256 of the object's key below the prefix of the images, as a
/// big-endian number, modulo `shards`: the same on every machine, whatever else is in the bucket.
pub fn shard_of(key: &str, shards: u32) -> u32 {
    let digest = Sha256::digest(key.as_bytes());
    let (words, _) = digest.as_chunks::<8>();
    let shard = u64::from_be_bytes(words[0]) % u64::from(shards.max(1));
    shard as u32
}

/// The records of a shard with their crops.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shard {
    /// One record an object, sorted by pseudonym, then by the object's sealed key.
    pub records: Vec<Record>,
    /// Raw counts: `records.len()` crops of [`CROP_PIXELS`], row-major.
    pub crops: Vec<f32>,
    /// The digest of the labels that it was made of ([`Pseudonyms::digest`](super::Pseudonyms::digest));
    /// empty where it does not say.
    pub labels: String,
}

impl Shard {
    /// A file of crops has its header within so many bytes.
    pub const HEADER: u64 = 4096;

    /// The digest of the labels that a shard was made of, by the first [`Self::HEADER`] bytes of its
    /// crops; `None` where it has no study or does not say.
    pub fn labels_of(start: &[u8]) -> Option<String> {
        let (length, rest) = start.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let header: Value = serde_json::from_slice(rest.get(..length)?).ok()?;
        let labels = header["__metadata__"][LABELS].as_str()?;
        let has_studies = header["crops"]["shape"][0] != 0;
        (has_studies && !labels.is_empty()).then(|| labels.to_owned())
    }

    /// Reads the two files of shard `shard` back.
    ///
    /// # Errors
    /// When the crops are not a safetensors file of this format, when either file is not what was
    /// written, and when a row cannot be read.
    pub fn read(shard: u32, crops: &[u8], table: &[u8]) -> Result<Self, Error> {
        let broken = |problem| ShardSnafu { shard, problem };
        let file = SafeTensors::deserialize(crops)
            .ok()
            .context(broken("its crops are not a safetensors file"))?;
        let (_, header) = SafeTensors::read_metadata(crops)
            .ok()
            .context(broken("its crops are not a safetensors file"))?;
        let noted = |name: &str| header.metadata().as_ref()?.get(name);
        ensure!(
            noted("format").is_some_and(|format| format == FORMAT),
            broken("its crops were written by another version")
        );
        let tensor = file
            .tensor("crops")
            .ok()
            .context(broken("its crops are missing"))?;
        ensure!(
            noted("table_sha256") == Some(&hex::encode(Sha256::digest(table))),
            broken("its table is not the one that was written with the crops")
        );
        ensure!(
            noted("crops_sha256") == Some(&hex::encode(Sha256::digest(tensor.data()))),
            broken("its crops were changed")
        );
        let records = record::read(shard, table)?;
        ensure!(
            tensor.dtype() == Dtype::F32 && tensor.shape() == [records.len(), CROP_SIZE, CROP_SIZE],
            broken("its crops and its table differ in length")
        );
        let (values, _) = tensor.data().as_chunks::<4>();
        Ok(Self {
            records,
            crops: values
                .iter()
                .map(|&value| f32::from_le_bytes(value))
                .collect(),
            labels: noted(LABELS).cloned().unwrap_or_default(),
        })
    }

    /// The crop of a record: [`CROP_PIXELS`] counts.
    pub fn crop(&self, record: usize) -> &[f32] {
        &self.crops[record * CROP_PIXELS..][..CROP_PIXELS]
    }
}

/// Collects the records and crops of a shard, in any order.
#[derive(Debug, Default)]
pub struct ShardWriter {
    labels: String,
    entries: Vec<(Record, PackedCrop)>,
}

/// The two files of a shard; the table is to be stored first.
#[derive(Debug)]
pub struct ShardFiles {
    /// The table, as CSV.
    pub table: Vec<u8>,
    header: Vec<u8>,
    crops: Vec<PackedCrop>,
}

impl ShardWriter {
    /// An empty shard, to be made of the labels of this digest.
    pub fn new(labels: &str) -> Self {
        Self {
            labels: labels.to_owned(),
            entries: Vec::new(),
        }
    }

    /// Adds an object: its record and its crop in raw counts.
    ///
    /// # Errors
    /// When the crop does not have [`CROP_PIXELS`] pixels.
    pub fn push(&mut self, record: Record, counts: &[f32]) -> Result<(), Error> {
        ensure!(
            counts.len() == CROP_PIXELS,
            CropSizeSnafu {
                found: counts.len(),
                expected: CROP_PIXELS
            }
        );
        self.entries.push((record, PackedCrop::new(counts)));
        Ok(())
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no object; the files of an empty shard are valid too.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The shard's files; they do not depend on the order in which objects were added.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub fn finish(mut self) -> Result<ShardFiles, Error> {
        self.entries.sort_by(|(a, a_crop), (b, b_crop)| {
            (a.study, &a.object)
                .cmp(&(b.study, &b.object))
                .then_with(|| a_crop.bytes().cmp(b_crop.bytes()))
        });
        let (records, crops): (Vec<Record>, Vec<PackedCrop>) = self.entries.into_iter().unzip();
        let table = record::write(&records)?;
        let mut digest = Sha256::new();
        for crop in &crops {
            digest.update(crop.to_bytes());
        }
        let header = header(
            records.len(),
            &self.labels,
            &hex::encode(Sha256::digest(&table)),
            &hex::encode(digest.finalize()),
        );
        Ok(ShardFiles {
            table,
            header,
            crops,
        })
    }
}

impl ShardFiles {
    /// The crops as a safetensors file, a crop at a time, as
    /// `Storage::put_chunks` takes it: a tensor `crops` of
    /// 32-bit floats and shape `[n, 128, 128]`.
    pub fn crops(&self) -> impl Iterator<Item = Result<Vec<u8>, Infallible>> {
        let crops = self.crops.iter().map(PackedCrop::to_bytes);
        std::iter::once(self.header.clone()).chain(crops).map(Ok)
    }
}

/// The length and the header of a safetensors file, padded to whole 8 bytes.
fn header(crops: usize, labels: &str, table_sha256: &str, crops_sha256: &str) -> Vec<u8> {
    let text = json!({
        "__metadata__": {
            "crops_sha256": crops_sha256,
            "format": FORMAT,
            LABELS: labels,
            "table_sha256": table_sha256,
        },
        "crops": {
            "dtype": "F32",
            "shape": [crops, CROP_SIZE, CROP_SIZE],
            "data_offsets": [0, crops * CROP_PIXELS * 4],
        },
    })
    .to_string();
    let length = text.len().next_multiple_of(8);
    let mut bytes = (length as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(8 + length, b' ');
    bytes
}

/// A crop in half the memory where that loses nothing.
#[derive(Debug)]
enum PackedCrop {
    Whole(Box<[u16]>),
    Real(Box<[f32]>),
}

impl PackedCrop {
    fn new(counts: &[f32]) -> Self {
        let whole = |&count: &f32| {
            (f32::from(count as u16).to_bits() == count.to_bits()).then_some(count as u16)
        };
        match counts.iter().map(whole).collect() {
            Some(counts) => Self::Whole(counts),
            None => Self::Real(counts.into()),
        }
    }

    /// The counts as 32-bit floats, little endian.
    fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        let (whole, real): (&[u16], &[f32]) = match self {
            Self::Whole(counts) => (counts, &[]),
            Self::Real(counts) => (&[], counts),
        };
        whole
            .iter()
            .map(|&count| f32::from(count))
            .chain(real.iter().copied())
            .flat_map(f32::to_le_bytes)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CROP_PIXELS * 4);
        bytes.extend(self.bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{crop, record};
    use attrium_imaging::Acquisition;

    fn shard(entries: &[(Record, Vec<f32>)]) -> (Vec<u8>, Vec<u8>) {
        let mut writer = ShardWriter::new("a digest");
        for (record, counts) in entries {
            writer.push(record.clone(), counts).unwrap();
        }
        let files = writer.finish().unwrap();
        let crops = files.crops().flat_map(Result::unwrap).collect();
        (crops, files.table)
    }

    fn entries() -> Vec<(Record, Vec<f32>)> {
        let mut fraction = crop(7.0);
        fraction[5] = 0.3;
        vec![
            (record(1), crop(46.0)),
            (record(2), fraction),
            (record(9), crop(65_536.0)),
        ]
    }

    #[test]
    fn a_shard_reads_back_what_was_written() {
        let entries = entries();
        let (crops, table) = shard(&entries);
        let read = Shard::read(0, &crops, &table).unwrap();
        assert_eq!(
            read.records,
            entries
                .iter()
                .map(|(record, _)| record.clone())
                .collect::<Vec<_>>()
        );
        for (place, (_, counts)) in entries.iter().enumerate() {
            assert_eq!(read.crop(place), counts);
        }
        let tensors = SafeTensors::deserialize(&crops).unwrap();
        assert_eq!(tensors.tensor("crops").unwrap().shape(), [3, 128, 128]);
    }

    #[test]
    fn the_order_in_which_objects_come_does_not_matter() {
        let mut entries = entries();
        entries.push((record(2), crop(3.0)));
        let mut planar = record(2);
        planar.object = "sealed otherwise".to_owned();
        planar.preference.acquisition = Acquisition::Static;
        entries.push((planar, crop(1.0)));
        let first = shard(&entries);
        entries.rotate_left(2);
        entries.swap(0, 1);
        assert!(shard(&entries) == first);
    }

    #[test]
    fn an_empty_shard_is_a_shard() {
        let (crops, table) = shard(&[]);
        let read = Shard::read(3, &crops, &table).unwrap();
        assert!(read.records.is_empty() && read.crops.is_empty());
    }

    #[test]
    fn a_shard_says_of_which_labels_it_was_made_before_it_is_read() {
        let (crops, table) = shard(&entries());
        let start = &crops[..Shard::HEADER as usize];
        assert_eq!(Shard::labels_of(start).as_deref(), Some("a digest"));
        assert_eq!(Shard::read(3, &crops, &table).unwrap().labels, "a digest");
        assert_eq!(Shard::labels_of(&shard(&[]).0), None);
        assert_eq!(Shard::labels_of(b"not a shard"), None);
        assert_eq!(Shard::labels_of(&[0xFF; 64]), None);
    }

    #[test]
    fn a_changed_byte_is_noticed_wherever_it_is() {
        let (crops, table) = shard(&entries()[..1]);
        let told =
            |crops: &[u8], table: &[u8]| Shard::read(3, crops, table).unwrap_err().to_string();
        for place in (0..crops.len())
            .step_by(997)
            .chain([0, 9, 30, crops.len() - 1])
        {
            let mut changed = crops.clone();
            changed[place] ^= 1;
            assert!(Shard::read(3, &changed, &table).is_err(), "byte {place}");
        }
        for place in 0..table.len() {
            let mut changed = table.clone();
            changed[place] ^= 1;
            assert_eq!(
                told(&crops, &changed),
                "shard 3: its table is not the one that was written with the crops: delete both \
                 of its files and preprocess again"
            );
        }
        assert!(told(&crops[..1000], &table).contains("not a safetensors file"));
        let (_, other) = shard(&entries()[1..2]);
        assert!(told(&crops, &other).contains("its table is not the one"));
    }

    #[test]
    fn a_crop_of_another_size_is_refused() {
        let error = ShardWriter::default()
            .push(record(1), &[1.0; 100])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "a crop has 100 pixels where 16384 are expected"
        );
    }

    #[test]
    fn whole_counts_take_half_the_memory_and_lose_nothing() {
        let whole = PackedCrop::new(&crop(65_535.0));
        assert!(matches!(&whole, PackedCrop::Whole(counts) if counts[0] == u16::MAX));
        for odd in [65_536.0, 0.5, -1.0, -0.0, f32::NAN, f32::INFINITY] {
            let packed = PackedCrop::new(&crop(odd));
            assert!(matches!(packed, PackedCrop::Real(_)), "{odd}");
            assert_eq!(packed.to_bytes()[..4], odd.to_le_bytes());
        }
    }

    #[test]
    fn an_objects_shard_is_the_hash_of_its_key() {
        // printf a/b.dcm | sha256sum begins with bc27a2b3342996d0.
        assert_eq!(
            u64::from(shard_of("a/b.dcm", 1000)),
            0xbc27_a2b3_3429_96d0 % 1000
        );
        assert_eq!(shard_of("a/b.dcm", 1), 0);
        let mut sizes = [0; 4];
        (0..4000).for_each(|number| sizes[shard_of(&format!("{number}.dcm"), 4) as usize] += 1);
        assert!(
            sizes.iter().all(|size| (900..1100).contains(size)),
            "{sizes:?}"
        );
    }
}
