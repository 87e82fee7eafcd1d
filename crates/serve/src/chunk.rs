//! Chunks as they are sent.

use std::sync::Arc;

use bytes::Bytes;
use zarr_source::EncodedChunk;

use crate::etag::ETag;

/// An encoded chunk and the name of its content.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) bytes: Bytes,
    pub(crate) etag: ETag,
}

impl From<EncodedChunk> for Chunk {
    fn from(chunk: EncodedChunk) -> Self {
        let bytes = Bytes::from_owner(chunk);
        Self { etag: ETag::of(&bytes), bytes }
    }
}

/// The chunks of all channels at one place. A clone costs nothing.
#[derive(Clone, Debug)]
pub(crate) struct Chunks {
    // One for each channel, none where all is zero; no channels if all of all are.
    channels: Arc<[Option<Chunk>]>,
    size: u64,
}

/// What an entry takes beside the bytes of its chunks, and each channel of it, roughly.
const OVERHEAD: u64 = 128;
const CHANNEL_OVERHEAD: u64 = 64;

impl Chunks {
    /// Chunks, of which those that are equal may be the same.
    pub(crate) fn new(channels: Vec<Option<Chunk>>) -> Self {
        if channels.iter().all(Option::is_none) {
            return Self { channels: Arc::new([]), size: OVERHEAD };
        }
        let mut size = OVERHEAD;
        let mut last: Option<&Bytes> = None;
        for chunk in &channels {
            size = size.saturating_add(CHANNEL_OVERHEAD);
            let Some(Chunk { bytes, .. }) = chunk else { continue };
            if last.is_none_or(|last| last.as_ptr() != bytes.as_ptr()) {
                size = size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            }
            last = Some(bytes);
        }
        Self { channels: channels.into(), size }
    }

    /// The chunk of a channel; none if all of it is zero.
    pub(crate) fn channel(&self, channel: usize) -> Option<&Chunk> {
        self.channels.get(channel)?.as_ref()
    }

    /// The size in bytes that they take.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}
