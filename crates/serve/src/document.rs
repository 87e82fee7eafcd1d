//! Answers that are known before anybody asks.

use std::io::Write;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::etag::ETag;

/// Below this size, compressing gains nothing beside the headers.
const WORTH_COMPRESSING: usize = 1024;

/// Bytes of one type that do not change.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) bytes: Bytes,
    pub(crate) etag: ETag,
    pub(crate) content_type: &'static str,
    /// The same compressed, once somebody asks for it; none if that gains nothing.
    compressed: OnceLock<Option<Bytes>>,
}

impl Document {
    pub(crate) fn new(bytes: impl Into<Bytes>, content_type: &'static str) -> Self {
        let bytes = bytes.into();
        Self { etag: ETag::of(&bytes), bytes, content_type, compressed: OnceLock::new() }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::new(value.to_string(), "application/json")
    }

    /// Whether there may be a compressed form, which clients have to be told.
    pub(crate) fn is_compressible(&self) -> bool {
        let kind = self.content_type;
        let is_text = kind.starts_with("text/")
            || matches!(kind, "application/json" | "application/wasm" | "image/svg+xml");
        is_text && self.bytes.len() >= WORTH_COMPRESSING
    }

    /// The same compressed with gzip.
    pub(crate) fn gzip(&self) -> Option<Bytes> {
        if !self.is_compressible() {
            return None;
        }
        let compress = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&self.bytes).ok()?;
            let compressed = encoder.finish().ok()?;
            (compressed.len() < self.bytes.len()).then(|| compressed.into())
        };
        self.compressed.get_or_init(compress).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_gets_smaller_is_compressed() {
        let text = "known ".repeat(1000);
        assert!(Document::new(text.clone(), "text/html").gzip().unwrap().len() < 200);
        assert!(Document::new(text.clone(), "application/octet-stream").gzip().is_none());
        assert!(Document::new("known", "text/html").gzip().is_none());
    }
}
