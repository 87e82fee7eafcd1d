//! Codecs, and keys of chunks, that zarrs lacks or has without limits.

pub(crate) mod chunk;
mod limited;
mod lz4;
pub(crate) mod n5_block;
pub(crate) mod n5_keys;

use std::sync::Once;

use zarrs::array::CodecOptions;
use zarrs::array::codec::api::CodecError;

use crate::memory;

/// Makes our own codecs and keys known to zarrs, once.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        limited::register();
        lz4::register();
        n5_block::register();
        n5_keys::register();
    });
}

/// Chunks are read and written in parallel, so that one chunk is work for one thread.
pub(crate) fn options() -> CodecOptions {
    CodecOptions::default().with_concurrent_target(1).with_store_empty_chunks(false)
}

/// Memory for this many bytes: a chunk may be said to be larger than that of any machine, and running out
/// of it would end the process.
fn memory_for(size: usize) -> Result<Vec<u8>, CodecError> {
    memory::memory_for(u64::try_from(size).unwrap_or(u64::MAX), "a decoded chunk")
        .map_err(|error| CodecError::Other(error.to_string()))
}
