//! The `zstd` codec with a limit: zarrs allocates whatever size a frame claims to hold, so that a single
//! damaged byte could end the process.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use zarrs::array::codec::ZstdCodec;
use zarrs::array::codec::api::{
    BytesRepresentation, BytesToBytesCodecTraits, Codec, CodecError, CodecMetadataOptions,
    CodecOptions, CodecRuntimePluginV2, CodecRuntimePluginV3, CodecTraits, CodecTraitsV2,
    CodecTraitsV3, PartialDecoderCapability, PartialEncoderCapability, RecommendedConcurrency,
    register_codec_v2, register_codec_v3,
};
use zarrs::metadata::Configuration;
use zarrs::plugin::{ExtensionName, ZarrVersion};

use super::memory_for;

const NAME: &str = "zstd";

/// Makes zarrs use this codec instead of its own.
pub(super) fn register() {
    register_codec_v3(CodecRuntimePluginV3::new(
        |name| name == NAME,
        |metadata| <ZstdCodec as CodecTraitsV3>::create(metadata).map(limited),
    ));
    register_codec_v2(CodecRuntimePluginV2::new(
        |id| id == NAME,
        |metadata| <ZstdCodec as CodecTraitsV2>::create(metadata).map(limited),
    ));
}

fn limited(codec: Codec) -> Codec {
    match codec {
        Codec::BytesToBytes(inner) => Codec::BytesToBytes(Arc::new(LimitedZstd { inner })),
        other => other,
    }
}

#[derive(Debug)]
struct LimitedZstd {
    inner: Arc<dyn BytesToBytesCodecTraits>,
}

impl ExtensionName for LimitedZstd {
    fn name(&self, version: ZarrVersion) -> Option<Cow<'static, str>> {
        self.inner.name(version)
    }
}

impl CodecTraits for LimitedZstd {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn configuration(
        &self,
        version: ZarrVersion,
        options: &CodecMetadataOptions,
    ) -> Option<Configuration> {
        self.inner.configuration(version, options)
    }

    fn partial_decoder_capability(&self) -> PartialDecoderCapability {
        self.inner.partial_decoder_capability()
    }

    fn partial_encoder_capability(&self) -> PartialEncoderCapability {
        self.inner.partial_encoder_capability()
    }
}

impl BytesToBytesCodecTraits for LimitedZstd {
    fn into_dyn(self: Arc<Self>) -> Arc<dyn BytesToBytesCodecTraits> {
        self
    }

    fn recommended_concurrency(
        &self,
        decoded: &BytesRepresentation,
    ) -> Result<RecommendedConcurrency, CodecError> {
        self.inner.recommended_concurrency(decoded)
    }

    fn encoded_representation(&self, decoded: &BytesRepresentation) -> BytesRepresentation {
        self.inner.encoded_representation(decoded)
    }

    fn encode<'a>(
        &self,
        decoded: Cow<'a, [u8]>,
        options: &CodecOptions,
    ) -> Result<Cow<'a, [u8]>, CodecError> {
        self.inner.encode(decoded, options)
    }

    fn decode<'a>(
        &self,
        encoded: Cow<'a, [u8]>,
        representation: &BytesRepresentation,
        _options: &CodecOptions,
    ) -> Result<Cow<'a, [u8]>, CodecError> {
        let failed = |error: std::io::Error| CodecError::Other(format!("zstd: {error}"));
        let decoded = match representation.size().and_then(|size| usize::try_from(size).ok()) {
            // The error of a frame that holds more says so.
            Some(limit) => {
                let mut decoded = memory_for(limit)?;
                let mut decompressor = zstd::bulk::Decompressor::new().map_err(failed)?;
                decompressor.decompress_to_buffer(&encoded, &mut decoded).map_err(failed)?;
                decoded
            }
            // The size is not known: a stream takes memory only for what it finds.
            None => zstd::stream::decode_all(&encoded[..]).map_err(failed)?,
        };
        Ok(Cow::Owned(decoded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zarrs::metadata::v3::MetadataV3;

    #[test]
    fn a_frame_that_claims_a_petabyte_is_an_error() {
        super::super::register();
        let metadata: MetadataV3 = serde_json::from_str(
            r#"{"name": "zstd", "configuration": {"level": 1, "checksum": false}}"#,
        )
        .unwrap();
        let Codec::BytesToBytes(codec) = Codec::from_metadata(&metadata).unwrap() else {
            panic!("zstd maps bytes to bytes");
        };
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
        frame.extend((1_u64 << 50).to_le_bytes());
        frame.extend([0x0b, 0x00, 0x00, 0x61]);
        for expected in [BytesRepresentation::FixedSize(64), BytesRepresentation::UnboundedSize] {
            let result = codec.decode(Cow::Borrowed(&frame), &expected, &CodecOptions::default());
            assert!(result.is_err(), "{expected}");
        }
    }
}
