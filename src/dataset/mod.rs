//! The data set of a run: `labels.csv`, pseudonyms, shards of crops, the quarantine table.
//!
//! It turns what identifies a study into a pseudonym and knows nothing of DICOM or of networks;
//! no type that leaves it, but [`Labels`] and the table of `quarantine.csv`, holds an identifier.
