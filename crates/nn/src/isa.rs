//! The vector instructions that the engine and the loops of this crate use.

use std::sync::LazyLock;

use attrium_engine::{Isa, Level};

/// The fastest that the processor has, or those that the environment variable `ATTRIUM_SIMD` names:
/// `avx512`, `avx2`, `portable` or `portable16`. They are chosen once.
pub(super) fn isa() -> Isa {
    static ISA: LazyLock<Isa> = LazyLock::new(|| {
        let level = match std::env::var("ATTRIUM_SIMD").ok().as_deref() {
            Some("avx512") => Some(Level::Avx512),
            Some("avx2") => Some(Level::Avx2),
            Some("portable") => Some(Level::Portable),
            Some("portable16") => Some(Level::Portable16),
            _ => None,
        };
        level.and_then(Isa::available).unwrap_or_else(Isa::best)
    });
    *ISA
}
