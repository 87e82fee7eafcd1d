//! Laws that hold for every value, each against a slow and obvious model.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a failed test may panic, and test values are chosen to fit"
)]

mod coordinates;
mod errors;
mod grids;
mod regions;
mod strategies;
mod text;
mod units;
mod windows;
