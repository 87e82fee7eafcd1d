//! The compressors of zarrs with a limit: its own decode to the end of the data, however much that is, or
//! allocate whatever size the data claim to hold, so that a small chunk could take all memory.
//!
//! How many bytes a chunk decodes to is known from the metadata. Here, more is an error before it is
//! allocated. Names, settings and encoding are those of zarrs.

use std::any::Any;
use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use zarrs::array::codec::api::{
    BytesRepresentation, BytesToBytesCodecTraits, Codec, CodecError, CodecMetadataOptions,
    CodecOptions, CodecRuntimePluginV2, CodecRuntimePluginV3, CodecTraits, CodecTraitsV2,
    CodecTraitsV3, PartialDecoderCapability, PartialEncoderCapability, RecommendedConcurrency,
    register_codec_v2, register_codec_v3,
};
use zarrs::array::codec::{BloscCodec, Bz2Codec, CodecChain, GzipCodec, ZlibCodec, ZstdCodec};
use zarrs::metadata::Configuration;
use zarrs::plugin::{ExtensionAliasesV2, ExtensionAliasesV3, ExtensionName, ZarrVersion};

use super::memory_for;

/// What data decode to at most whose decoded size nothing tells: those of codecs in uncommon places only.
const MAX_UNKNOWN: usize = 1 << 30;
/// The field of a Blosc header that says to how many bytes it decodes.
const BLOSC_SIZE: std::ops::Range<usize> = 4..8;

/// Makes zarrs use these codecs instead of its own.
pub(super) fn register() {
    replace::<GzipCodec>(|encoded, limit, _| {
        read("gzip", flate2::read::GzDecoder::new(encoded), limit)
    });
    replace::<ZlibCodec>(|encoded, limit, _| {
        read("zlib", flate2::read::ZlibDecoder::new(encoded), limit)
    });
    replace::<Bz2Codec>(|encoded, limit, _| {
        read("bz2", bzip2::read::BzDecoder::new(encoded), limit)
    });
    replace::<ZstdCodec>(|encoded, limit, _| zstd(encoded, limit));
    replace::<BloscCodec>(blosc);
}

/// Decodes to at most so many bytes; the codec of zarrs is at hand.
type Decode = fn(&[u8], Limit, &dyn BytesToBytesCodecTraits) -> Result<Vec<u8>, CodecError>;

fn replace<C>(decode: Decode)
where
    C: CodecTraitsV2 + CodecTraitsV3 + ExtensionAliasesV2 + ExtensionAliasesV3 + 'static,
{
    let limited = move |codec| match codec {
        Codec::BytesToBytes(inner) => Codec::BytesToBytes(Arc::new(Limited { inner, decode })),
        other => other,
    };
    register_codec_v3(CodecRuntimePluginV3::new(
        |name| C::matches_name_v3(name),
        move |metadata| <C as CodecTraitsV3>::create(metadata).map(limited),
    ));
    register_codec_v2(CodecRuntimePluginV2::new(
        |id| C::matches_name_v2(id),
        move |metadata| <C as CodecTraitsV2>::create(metadata).map(limited),
    ));
}

/// The same codecs, all with a limit: of version 2, zarrs makes Blosc itself, since that takes the size of the
/// elements from the type of the array, and asks nobody.
pub(super) fn limit(chain: Arc<CodecChain>) -> Arc<CodecChain> {
    let is_blosc = |codec: &Arc<dyn BytesToBytesCodecTraits>| codec.as_any().is::<BloscCodec>();
    if !chain.bytes_to_bytes_codecs().iter().any(is_blosc) {
        return chain;
    }
    let limited = |codec: &Arc<dyn BytesToBytesCodecTraits>| {
        let inner = Arc::clone(codec);
        if is_blosc(codec) { Arc::new(Limited { inner, decode: blosc }) } else { inner }
    };
    Arc::new(CodecChain::new(
        chain.array_to_array_codecs().to_vec(),
        Arc::clone(chain.array_to_bytes_codec()),
        chain.bytes_to_bytes_codecs().iter().map(limited).collect(),
    ))
}

/// To how many bytes data may decode.
#[derive(Clone, Copy, Debug)]
struct Limit {
    bytes: usize,
    /// Whether they are expected to be as many.
    is_exact: bool,
}

impl Limit {
    fn of(representation: &BytesRepresentation) -> Result<Self, CodecError> {
        let bytes = |size: u64| {
            let size = usize::try_from(size);
            size.map_err(|_| CodecError::Other(format!("{representation} do not fit into memory")))
        };
        Ok(match *representation {
            BytesRepresentation::FixedSize(size) => Self { bytes: bytes(size)?, is_exact: true },
            BytesRepresentation::BoundedSize(size) => Self { bytes: bytes(size)?, is_exact: false },
            BytesRepresentation::UnboundedSize => Self { bytes: MAX_UNKNOWN, is_exact: false },
        })
    }

    fn exceeded(self, name: &str) -> CodecError {
        let most = if self.is_exact { "the" } else { "the at most" };
        CodecError::Other(format!(
            "{name} data hold more than {most} {} bytes that are expected",
            self.bytes
        ))
    }
}

/// All that a decoder gives.
fn read(name: &str, mut decoder: impl Read, limit: Limit) -> Result<Vec<u8>, CodecError> {
    let failed = |error: std::io::Error| CodecError::Other(format!("{name}: {error}"));
    let mut decoded = if limit.is_exact { memory_for(limit.bytes)? } else { Vec::new() };
    let most = u64::try_from(limit.bytes).unwrap_or(u64::MAX);
    decoder.by_ref().take(most).read_to_end(&mut decoded).map_err(failed)?;
    // This also makes it look at the checksum behind the last byte.
    match decoder.read(&mut [0]).map_err(failed)? {
        0 => Ok(decoded),
        _ => Err(limit.exceeded(name)),
    }
}

fn zstd(encoded: &[u8], limit: Limit) -> Result<Vec<u8>, CodecError> {
    if !limit.is_exact {
        let decoder = zstd::stream::read::Decoder::with_buffer(encoded)
            .map_err(|error| CodecError::Other(format!("zstd: {error}")))?;
        return read("zstd", decoder, limit);
    }
    // In one piece, it is twice as fast.
    let mut decoded = memory_for(limit.bytes)?;
    let failed = |error: std::io::Error| {
        CodecError::Other(format!("zstd: {error} ({} bytes are expected)", limit.bytes))
    };
    let mut decompressor = zstd::bulk::Decompressor::new().map_err(failed)?;
    decompressor.decompress_to_buffer(encoded, &mut decoded).map_err(failed)?;
    Ok(decoded)
}

/// The codec of zarrs, which allocates what the header claims.
fn blosc(
    encoded: &[u8],
    limit: Limit,
    inner: &dyn BytesToBytesCodecTraits,
) -> Result<Vec<u8>, CodecError> {
    let claimed = encoded.get(BLOSC_SIZE).and_then(|bytes| bytes.try_into().ok());
    let claimed = claimed.map(u32::from_le_bytes).and_then(|size| usize::try_from(size).ok());
    let fits = claimed
        .is_some_and(|size| if limit.is_exact { size == limit.bytes } else { size <= limit.bytes });
    if !fits {
        let claimed = claimed.map_or("nothing".to_owned(), |size| format!("{size} bytes"));
        let most = if limit.is_exact { "" } else { "at most " };
        return Err(CodecError::Other(format!(
            "the Blosc data claim to hold {claimed}, expected {most}{}",
            limit.bytes
        )));
    }
    // zarrs would end the process where memory cannot be had.
    drop(memory_for(limit.bytes.min(claimed.unwrap_or(0)))?);
    let whole = BytesRepresentation::UnboundedSize;
    let decoded = inner.decode(Cow::Borrowed(encoded), &whole, &CodecOptions::default())?;
    Ok(decoded.into_owned())
}

#[derive(Debug)]
struct Limited {
    inner: Arc<dyn BytesToBytesCodecTraits>,
    decode: Decode,
}

impl ExtensionName for Limited {
    fn name(&self, version: ZarrVersion) -> Option<Cow<'static, str>> {
        self.inner.name(version)
    }
}

impl CodecTraits for Limited {
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

impl BytesToBytesCodecTraits for Limited {
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
        (self.decode)(&encoded, Limit::of(representation)?, &*self.inner).map(Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use zarrs::metadata::v3::MetadataV3;

    use super::*;

    const SIZE: usize = 100_000;

    /// All codecs, by a name that they have in version 3.
    fn codecs() -> Vec<(String, Arc<dyn BytesToBytesCodecTraits>)> {
        super::super::register();
        let blosc = |cname: &str| {
            json!({"name": "blosc", "configuration": {
            "cname": cname, "clevel": 5, "shuffle": "noshuffle", "blocksize": 0}})
        };
        let configurations = [
            json!({"name": "gzip", "configuration": {"level": 5}}),
            json!({"name": "numcodecs.zlib", "configuration": {"level": 5}}),
            json!({"name": "numcodecs.bz2", "configuration": {"level": 5}}),
            json!({"name": "zstd", "configuration": {"level": 5, "checksum": true}}),
            blosc("lz4"),
            blosc("zstd"),
        ];
        let codecs = configurations.map(|configuration| {
            let metadata: MetadataV3 = serde_json::from_value(configuration.clone()).unwrap();
            match Codec::from_metadata(&metadata).unwrap() {
                Codec::BytesToBytes(codec) => (configuration.to_string(), codec),
                _ => panic!("{configuration} maps bytes to bytes"),
            }
        });
        codecs.into()
    }

    fn zeros_of(codec: &dyn BytesToBytesCodecTraits) -> Vec<u8> {
        let zeros = Cow::Owned(vec![0; SIZE]);
        codec.encode(zeros, &CodecOptions::default()).unwrap().into_owned()
    }

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        for (name, codec) in codecs() {
            let encoded = zeros_of(&*codec);
            for size in [
                BytesRepresentation::FixedSize(SIZE as u64),
                BytesRepresentation::BoundedSize(SIZE as u64),
                BytesRepresentation::BoundedSize(SIZE as u64 * 2),
                BytesRepresentation::UnboundedSize,
            ] {
                let decoded =
                    codec.decode(Cow::Borrowed(&encoded), &size, &CodecOptions::default());
                assert_eq!(decoded.unwrap(), vec![0; SIZE], "{name} as {size}");
            }
        }
    }

    #[test]
    fn one_byte_more_than_expected_is_an_error_that_says_what_is_expected() {
        for (name, codec) in codecs() {
            let encoded = zeros_of(&*codec);
            let less = SIZE as u64 - 1;
            for size in
                [BytesRepresentation::FixedSize(less), BytesRepresentation::BoundedSize(less)]
            {
                let decoded =
                    codec.decode(Cow::Borrowed(&encoded), &size, &CodecOptions::default());
                let error = decoded.unwrap_err().to_string();
                assert!(error.contains(&less.to_string()), "{name} as {size}: {error}");
            }
        }
    }

    #[test]
    fn a_frame_that_claims_a_petabyte_is_an_error() {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
        frame.extend((1_u64 << 50).to_le_bytes());
        frame.extend([0x0b, 0x00, 0x00, 0x61]);
        for expected in [BytesRepresentation::FixedSize(64), BytesRepresentation::UnboundedSize] {
            let limit = Limit::of(&expected).unwrap();
            assert!(zstd(&frame, limit).is_err(), "{expected}");
        }
    }

    #[test]
    fn a_chunk_larger_than_memory_is_an_error_and_not_the_end_of_the_process() {
        for (name, codec) in codecs() {
            let encoded = zeros_of(&*codec);
            let size = BytesRepresentation::FixedSize(1 << 60);
            let decoded = codec.decode(Cow::Borrowed(&encoded), &size, &CodecOptions::default());
            assert!(decoded.is_err(), "{name}");
        }
    }
}
