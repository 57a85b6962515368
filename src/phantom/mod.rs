//! The phantom room.
