//! All codecs of a chunk together.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::sync::Arc;

use zarrs::array::codec::CodecChain;
use zarrs::array::codec::api::{ArrayToBytesCodecTraits, BytesRepresentation};
use zarrs::array::{ArrayBytes, DataType, FillValue};
use zarrs::metadata::v3::MetadataV3;

use super::limited::limit;
use super::options;

/// What a chunk may be larger than it should be when it is stored, beside a part as large as its elements: other
/// software has other headers, and shards may have gaps.
const MAX_OVERHEAD: u64 = 1 << 20;

/// The codecs of a chunk, of a part of a shard or of its index, and what they encode.
pub(crate) struct ChunkCodecs {
    chain: Arc<CodecChain>,
    shape: Vec<NonZeroU64>,
    data_type: DataType,
    fill_value: FillValue,
}

impl ChunkCodecs {
    pub(crate) fn new(
        chain: Arc<CodecChain>,
        shape: Vec<NonZeroU64>,
        data_type: DataType,
        fill_value: FillValue,
    ) -> Self {
        Self { chain: limit(chain), shape, data_type, fill_value }
    }

    /// Those that metadata describe; otherwise what is not supported.
    pub(crate) fn from_metadata(
        codecs: &[MetadataV3],
        shape: Vec<NonZeroU64>,
        data_type: DataType,
        fill_value: FillValue,
    ) -> Result<Self, String> {
        let chain = CodecChain::from_metadata(codecs)
            .map_err(|error| format!("the combination of codecs in shards ({error})"))?;
        Ok(Self::new(Arc::new(chain), shape, data_type, fill_value))
    }

    /// The decoded elements, in C order and native byte order; otherwise what is wrong.
    pub(crate) fn decode(&self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        self.chain
            .decode(Cow::Owned(bytes), &self.shape, &self.data_type, &self.fill_value, &options())
            .and_then(|decoded| Ok(decoded.into_fixed()?.into_owned()))
            .map_err(|error| error.to_string())
    }

    /// The encoded elements, which are in C order and native byte order; otherwise what is wrong.
    pub(crate) fn encode(&self, elements: ArrayBytes<'_>) -> Result<Vec<u8>, String> {
        self.chain
            .encode(elements, &self.shape, &self.data_type, &self.fill_value, &options())
            .map(Cow::into_owned)
            .map_err(|error| error.to_string())
    }

    /// The encoded size, if it is the same whatever the elements are.
    pub(crate) fn encoded_size(&self) -> Result<u64, String> {
        match self.chain.encoded_representation(&self.shape, &self.data_type, &self.fill_value) {
            Ok(BytesRepresentation::FixedSize(size)) => Ok(size),
            Ok(_) => Err("a shard index whose size differs from shard to shard".to_owned()),
            Err(error) => Err(format!("the codecs of the shard index ({error})")),
        }
    }

    /// The encoded size that is refused before it is read: no compressor makes data so much larger.
    pub(crate) fn max_encoded_size(&self) -> u64 {
        let extents = self.shape.iter().map(|extent| extent.get());
        let element = self.data_type.fixed_size().and_then(|size| u64::try_from(size).ok());
        let decoded = extents.fold(element.unwrap_or(1), u64::saturating_mul);
        let known =
            self.chain.encoded_representation(&self.shape, &self.data_type, &self.fill_value);
        let bound = known.ok().and_then(|size| size.size()).unwrap_or(decoded);
        bound.max(decoded).saturating_mul(2).saturating_add(MAX_OVERHEAD)
    }
}
