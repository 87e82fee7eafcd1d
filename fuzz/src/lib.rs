//! What the fuzz targets have in common: a bound on memory, errors told in full, and containers to damage.
//!
//! A target fails if anything panics, if an input takes longer than a second, or if more than
//! [`MEMORY_LIMIT`] bytes are held at once.

mod container;
mod crop;
mod tell;

use std::alloc::System;

use cap::Cap;

pub use container::{Container, View, look_at};
pub use crop::{mask_everything, zeros_and_ones};
pub use tell::{parts, tell, text};

/// The most bytes that may be allocated at any time. An allocation beyond fails, which ends the process, and the
/// input that caused it is kept.
///
/// libFuzzer's own limit needs the address sanitizer, under which no limit of time means anything.
pub const MEMORY_LIMIT: usize = 256 << 20;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MEMORY_LIMIT);
