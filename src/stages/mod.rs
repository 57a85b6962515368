//! The stages room.
