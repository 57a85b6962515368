//! The dataset room.
