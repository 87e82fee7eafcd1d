//! Encoding and decoding of chunks: the only place that knows the zarrs crate.

mod lz4;
mod zstd;

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::sync::Once;

use array_core::{DType, Scalar};
use serde_json::Value;
use zarrs::array::codec::CodecChain;
use zarrs::array::codec::api::{ArrayToBytesCodecTraits, BytesRepresentation};
use zarrs::array::{ArrayBytes, CodecOptions, DataType, FillValue, data_type};
use zarrs::metadata::v3::MetadataV3;

use crate::elements::scalar_bytes;

/// The codecs of chunks of one shape.
#[derive(Debug)]
pub(crate) struct ChunkCodec {
    chain: CodecChain,
    shape: Vec<NonZeroU64>,
    data_type: DataType,
    fill_value: FillValue,
    options: CodecOptions,
}

impl ChunkCodec {
    /// The codecs that `codecs` (written as in version 3) name; otherwise what is not supported.
    pub(crate) fn new(
        codecs: &[Value],
        shape: &[usize],
        fill_value: Scalar,
    ) -> Result<Self, String> {
        register();
        let mut metadata = Vec::new();
        for codec in codecs {
            let codec: MetadataV3 = serde_json::from_value(codec.clone())
                .map_err(|error| format!("the codec {codec} ({error})"))?;
            // Alone first, so that the error names the codec.
            zarrs::array::codec::api::Codec::from_metadata(&codec)
                .map_err(|error| format!("the codec {:?} ({error})", codec.name()))?;
            metadata.push(codec);
        }
        let chain = CodecChain::from_metadata(&metadata)
            .map_err(|error| format!("the combination of codecs ({error})"))?;
        let shape = shape
            .iter()
            .map(|&extent| u64::try_from(extent).ok().and_then(NonZeroU64::new))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| format!("the chunk shape {shape:?}"))?;
        let codec = Self {
            chain,
            shape,
            data_type: data_type_of(fill_value.dtype()),
            fill_value: FillValue::new(scalar_bytes(fill_value)),
            // Chunks are read in parallel, so that a chunk is decoded by one thread.
            options: CodecOptions::default().with_concurrent_target(1),
        };
        codec.encoded_size().map_err(|error| format!("the combination of codecs ({error})"))?;
        Ok(codec)
    }

    /// The elements of an encoded chunk, in C order and native byte order; otherwise what is wrong.
    pub(crate) fn decode(&self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        let decoded = self
            .chain
            .decode(
                Cow::Owned(bytes),
                &self.shape,
                &self.data_type,
                &self.fill_value,
                &self.options,
            )
            .and_then(|decoded| Ok(decoded.into_fixed()?))
            .map_err(|error| error.to_string())?;
        Ok(decoded.into_owned())
    }

    /// An encoded chunk.
    pub(crate) fn encode(&self, elements: Vec<u8>) -> Result<Vec<u8>, String> {
        let encoded = self
            .chain
            .encode(
                ArrayBytes::new_flen(elements),
                &self.shape,
                &self.data_type,
                &self.fill_value,
                &self.options,
            )
            .map_err(|error| error.to_string())?;
        Ok(encoded.into_owned())
    }

    /// The size of every encoded chunk; none if it differs from chunk to chunk.
    pub(crate) fn encoded_size(&self) -> Result<Option<u64>, String> {
        let representation = self
            .chain
            .encoded_representation(&self.shape, &self.data_type, &self.fill_value)
            .map_err(|error| error.to_string())?;
        Ok(match representation {
            BytesRepresentation::FixedSize(size) => Some(size),
            _ => None,
        })
    }
}

/// Makes our own codecs known to zarrs, once.
fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        lz4::register();
        zstd::register();
    });
}

fn data_type_of(dtype: DType) -> DataType {
    match dtype {
        DType::Bool => data_type::bool(),
        DType::U8 => data_type::uint8(),
        DType::U16 => data_type::uint16(),
        DType::U32 => data_type::uint32(),
        DType::U64 => data_type::uint64(),
        DType::I8 => data_type::int8(),
        DType::I16 => data_type::int16(),
        DType::I32 => data_type::int32(),
        DType::I64 => data_type::int64(),
        DType::F32 => data_type::float32(),
        DType::F64 => data_type::float64(),
    }
}
