//! The imaging room.
