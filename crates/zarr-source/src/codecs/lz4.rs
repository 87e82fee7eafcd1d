//! The `lz4` codec of numcodecs, which zarrs lacks: the decoded size as a little-endian 32-bit number,
//! then one LZ4 block.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use zarrs::array::codec::api::{
    BytesRepresentation, BytesToBytesCodecTraits, Codec, CodecError, CodecMetadataOptions,
    CodecOptions, CodecRuntimePluginV2, CodecRuntimePluginV3, CodecTraits,
    PartialDecoderCapability, PartialEncoderCapability, RecommendedConcurrency, register_codec_v2,
    register_codec_v3,
};
use zarrs::metadata::Configuration;
use zarrs::plugin::{ExtensionName, ZarrVersion};

use super::memory_for;

const NAME: &str = "numcodecs.lz4";
const HEADER: usize = size_of::<u32>();
// LZ4 cannot make data smaller than this.
const MAX_RATIO: u64 = 255;

/// Makes the codec known to zarrs.
pub(super) fn register() {
    register_codec_v3(CodecRuntimePluginV3::new(
        |name| name == NAME || name == "lz4",
        |_| Ok(Codec::BytesToBytes(Arc::new(Lz4Codec))),
    ));
    register_codec_v2(CodecRuntimePluginV2::new(
        |id| id == "lz4",
        |_| Ok(Codec::BytesToBytes(Arc::new(Lz4Codec))),
    ));
}

#[derive(Debug)]
struct Lz4Codec;

impl ExtensionName for Lz4Codec {
    fn name(&self, _version: ZarrVersion) -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed(NAME))
    }
}

impl CodecTraits for Lz4Codec {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn configuration(
        &self,
        _version: ZarrVersion,
        _options: &CodecMetadataOptions,
    ) -> Option<Configuration> {
        Some(Configuration::default())
    }

    fn partial_decoder_capability(&self) -> PartialDecoderCapability {
        PartialDecoderCapability { partial_read: false, partial_decode: false }
    }

    fn partial_encoder_capability(&self) -> PartialEncoderCapability {
        PartialEncoderCapability { partial_encode: false }
    }
}

impl BytesToBytesCodecTraits for Lz4Codec {
    fn into_dyn(self: Arc<Self>) -> Arc<dyn BytesToBytesCodecTraits> {
        self
    }

    fn recommended_concurrency(
        &self,
        _decoded: &BytesRepresentation,
    ) -> Result<RecommendedConcurrency, CodecError> {
        Ok(RecommendedConcurrency::new_maximum(1))
    }

    fn encoded_representation(&self, decoded: &BytesRepresentation) -> BytesRepresentation {
        // The bound of LZ4: every 255 bytes that cannot be compressed need one more.
        decoded.size().map_or(BytesRepresentation::UnboundedSize, |size| {
            BytesRepresentation::BoundedSize(
                size.saturating_add(size / MAX_RATIO).saturating_add(20),
            )
        })
    }

    fn encode<'a>(
        &self,
        decoded: Cow<'a, [u8]>,
        _options: &CodecOptions,
    ) -> Result<Cow<'a, [u8]>, CodecError> {
        let size = u32::try_from(decoded.len())
            .map_err(|_| CodecError::Other("lz4 cannot hold more than 4 GiB".to_owned()))?;
        let mut encoded = size.to_le_bytes().to_vec();
        encoded.extend(lz4_flex::block::compress(&decoded));
        Ok(Cow::Owned(encoded))
    }

    fn decode<'a>(
        &self,
        encoded: Cow<'a, [u8]>,
        representation: &BytesRepresentation,
        _options: &CodecOptions,
    ) -> Result<Cow<'a, [u8]>, CodecError> {
        let (size, block) = encoded
            .split_first_chunk::<HEADER>()
            .ok_or_else(|| CodecError::Other("lz4 data ends before its size".to_owned()))?;
        let size = u32::from_le_bytes(*size);
        // Before anything of that size is allocated.
        let possible = u64::try_from(block.len()).unwrap_or(u64::MAX).saturating_mul(MAX_RATIO);
        let fits = match representation {
            BytesRepresentation::FixedSize(expected) => u64::from(size) == *expected,
            BytesRepresentation::BoundedSize(bound) => u64::from(size) <= *bound,
            BytesRepresentation::UnboundedSize => u64::from(size) <= possible,
        };
        if !fits {
            return Err(CodecError::Other(format!(
                "lz4 data claims to hold {size} bytes, expected {representation}"
            )));
        }
        let size = usize::try_from(size)
            .map_err(|_| CodecError::Other(format!("{size} bytes do not fit into memory")))?;
        drop(memory_for(size)?);
        let decoded = lz4_flex::block::decompress(block, size)
            .map_err(|error| CodecError::Other(format!("lz4: {error}")))?;
        if decoded.len() != size {
            let found = decoded.len();
            return Err(CodecError::Other(format!(
                "lz4 data claims to hold {size} bytes, but holds {found}"
            )));
        }
        Ok(Cow::Owned(decoded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], expected: BytesRepresentation) -> Result<Vec<u8>, CodecError> {
        let decoded = Lz4Codec.decode(Cow::Borrowed(bytes), &expected, &CodecOptions::default())?;
        Ok(decoded.into_owned())
    }

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        let data: Vec<u8> = (0..20_000_u32).map(|i| (i * i / 7).to_le_bytes()[0]).collect();
        let encoded = Lz4Codec.encode(Cow::Borrowed(&data), &CodecOptions::default()).unwrap();
        assert_eq!(encoded[..4], 20_000_u32.to_le_bytes());
        assert_eq!(decode(&encoded, BytesRepresentation::FixedSize(20_000)).unwrap(), data);
        assert_eq!(decode(&encoded, BytesRepresentation::UnboundedSize).unwrap(), data);
    }

    #[test]
    fn a_size_that_the_chunk_cannot_have_is_refused_before_it_is_allocated() {
        let huge = [0xff, 0xff, 0xff, 0xff, 0x10, 0x61];
        for expected in [
            BytesRepresentation::FixedSize(64),
            BytesRepresentation::BoundedSize(64),
            BytesRepresentation::UnboundedSize,
        ] {
            let error = decode(&huge, expected).unwrap_err();
            assert!(error.to_string().contains("4294967295"), "{error}");
        }
        assert!(decode(&[1, 0], BytesRepresentation::FixedSize(1)).is_err());
        assert!(decode(&[9, 0, 0, 0, 0x10, 0x61], BytesRepresentation::FixedSize(9)).is_err());
    }
}
