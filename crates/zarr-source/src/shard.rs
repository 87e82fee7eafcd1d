//! Chunks in shards, each read and decoded by itself.
//!
//! zarrs does so with a partial decoder per shard, which does not tell whether a chunk is stored (asking
//! for the bytes of one that is not overflows), does not check the checksums of inner chunks, and
//! allocates whatever an index claims. So the index is looked up here, and only stores and codecs are
//! those of zarrs. Whole shards are left to zarrs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use zarrs::array::codec::api::CodecMetadataOptions;
use zarrs::array::codec::{ShardingCodecConfiguration, ShardingIndexLocation};
use zarrs::array::{ArrayBytes, ArrayShardedExt, FillValue, data_type};
use zarrs::metadata::ConfigurationSerialize;
use zarrs::storage::StorageError;
use zarrs::storage::byte_range::ByteRange;

use crate::chunks::wide;
use crate::codecs::chunk::ChunkCodecs;
use crate::spec::StoredArray;
use crate::store::{Container, FileVersion, check_same, is_replaced};

/// The number of index entries that are kept before old ones are dropped: 16 MB.
const MAX_CACHED_ENTRIES: usize = 1 << 20;
/// The size in bytes of an index above which it is refused, as eight million chunks in a shard have it, and
/// that of an entry in it.
const MAX_INDEX_SIZE: u64 = 1 << 27;
const INDEX_ENTRY_SIZE: u64 = 16;
/// What the index says of a chunk that is not stored.
const MISSING: u64 = u64::MAX;

/// How the chunks of a sharded array lie in its shards.
pub(crate) struct Sharding {
    pub(crate) chunk_shape: Vec<usize>,
    chunks_per_shard: Vec<usize>,
    chunk: ChunkCodecs,
    index: ChunkCodecs,
    index_range: ByteRange,
    index_size: u64,
    /// What a shard may have, gaps included.
    max_shard_size: u64,
    cache: Mutex<HashMap<Vec<usize>, Arc<ShardIndex>>>,
}

struct ShardIndex {
    shard_size: u64,
    /// What the entries are of, where that can be told.
    version: Option<FileVersion>,
    /// Offset and size of every chunk.
    entries: Vec<[u64; 2]>,
}

/// Why a chunk of a shard could not be read.
pub(crate) enum ShardError {
    Store(StorageError),
    Corrupt(String),
}

impl From<StorageError> for ShardError {
    fn from(error: StorageError) -> Self {
        match &error {
            // Another process has replaced the shard by a shorter one.
            StorageError::IOError(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::Corrupt("the shard ends too early".to_owned())
            }
            _ => Self::Store(error),
        }
    }
}

impl Sharding {
    /// The sharding of an array whose only codec it is, as part of the codecs of a `whole` shard; none if the
    /// codecs are others. Otherwise what is not supported.
    pub(crate) fn new(
        array: &StoredArray,
        shard_shape: &[usize],
        whole: &ChunkCodecs,
    ) -> Result<Option<Self>, String> {
        if !array.is_exclusively_sharded() {
            return Ok(None);
        }
        let codecs = array.codecs();
        let configuration =
            codecs.array_to_bytes_codec().configuration_v3(&CodecMetadataOptions::default());
        let Some(Ok(ShardingCodecConfiguration::V1(configuration))) =
            configuration.map(ShardingCodecConfiguration::try_from_configuration)
        else {
            return Err("this form of sharding_indexed".to_owned());
        };
        let shape = &configuration.chunk_shape;
        let divided = || format!("the chunk shape {shape:?} in shards of {shard_shape:?}");
        let (chunk_shape, chunks_per_shard) = divide(shard_shape, shape).ok_or_else(divided)?;
        let counts = wide(&chunks_per_shard).into_iter().chain([2]);
        let index_shape = counts.filter_map(NonZeroU64::new).collect();
        let missing = FillValue::from(MISSING);
        let index = ChunkCodecs::from_metadata(
            &configuration.index_codecs,
            index_shape,
            data_type::uint64(),
            missing,
        )?;
        let index_size = index.encoded_size()?;
        let (data_type, fill_value) = (array.data_type().clone(), array.fill_value().clone());
        Ok(Some(Self {
            chunk: ChunkCodecs::from_metadata(
                &configuration.codecs,
                shape.to_vec(),
                data_type,
                fill_value,
            )?,
            chunk_shape,
            chunks_per_shard,
            index,
            index_range: match configuration.index_location {
                ShardingIndexLocation::Start => ByteRange::FromStart(0, Some(index_size)),
                ShardingIndexLocation::End => ByteRange::Suffix(index_size),
            },
            index_size,
            max_shard_size: whole.max_encoded_size(),
            cache: Mutex::default(),
        }))
    }

    /// The decoded chunk `index` (counted over the whole array); none if it is not stored.
    ///
    /// The index and the chunk are those of one version of the shard. If it is replaced between the two, that of
    /// the new one is read; if that happens again, the error says so.
    pub(crate) fn read(
        &self,
        container: &Container,
        array: &StoredArray,
        index: &[usize],
    ) -> Result<Option<Vec<u8>>, ShardError> {
        match self.read_version(container, array, index) {
            Err(ShardError::Store(error)) if is_replaced(&error) => {
                self.forget(&self.locate(index).0);
                self.read_version(container, array, index)
            }
            read => read,
        }
    }

    fn read_version(
        &self,
        container: &Container,
        array: &StoredArray,
        index: &[usize],
    ) -> Result<Option<Vec<u8>>, ShardError> {
        let (shard, position) = self.locate(index);
        let Some(shard_index) = self.shard_index(container, array, &shard)? else {
            return Ok(None);
        };
        let Some(&[offset, size]) = shard_index.entries.get(position) else {
            let found = shard_index.entries.len();
            let reason = format!("the shard's index has {found} entries, none at {position}");
            return Err(ShardError::Corrupt(reason));
        };
        if (offset, size) == (MISSING, MISSING) {
            return Ok(None);
        }
        // Before anything of that size is allocated.
        let shard_size = shard_index.shard_size;
        if offset.checked_add(size).is_none_or(|end| end > shard_size) {
            return Err(ShardError::Corrupt(format!(
                "the shard's index places it at {offset}, {size} bytes long, in a file of {shard_size} bytes"
            )));
        }
        let most = self.chunk.max_encoded_size();
        if size > most {
            return Err(ShardError::Corrupt(format!(
                "the shard's index says that it has {size} bytes, more than the {most} that a chunk has at most"
            )));
        }
        let range = ByteRange::FromStart(offset, Some(size));
        let version = shard_index.version.as_ref();
        match container.part(&array.chunk_key(&wide(&shard)), range, version)? {
            Some((encoded, found)) => {
                check_same(version, found.as_ref())?;
                self.chunk.decode(encoded.into()).map(Some).map_err(ShardError::Corrupt)
            }
            None => Err(ShardError::Corrupt("the shard has gone".to_owned())),
        }
    }

    /// Encodes the elements of one chunk.
    pub(crate) fn encode(&self, elements: ArrayBytes<'_>) -> Result<Vec<u8>, String> {
        self.chunk.encode(elements)
    }

    /// The shard that holds these chunks, in C order: one for each place, none where there is none.
    pub(crate) fn assemble(&self, chunks: &[Option<&[u8]>]) -> Result<Vec<u8>, String> {
        let places = self.chunks_per_shard.iter().product::<usize>();
        if chunks.len() != places {
            return Err(format!("{} chunks for {places} places", chunks.len()));
        }
        let is_before = matches!(self.index_range, ByteRange::FromStart(..));
        let mut offset = if is_before { self.index_size } else { 0 };
        let mut entries: Vec<u8> = Vec::new();
        for chunk in chunks {
            let size = chunk.map_or(0, |chunk| chunk.len() as u64);
            let entry = if chunk.is_some() { [offset, size] } else { [MISSING, MISSING] };
            entries.extend(entry.into_iter().flat_map(u64::to_ne_bytes));
            offset = offset.saturating_add(size);
        }
        let index = self.index.encode(ArrayBytes::new_flen(Cow::Owned(entries)))?;
        let all: Vec<&[u8]> = chunks.iter().copied().flatten().collect();
        let all = if is_before {
            [&[index.as_slice()], &all[..]].concat()
        } else {
            [&all[..], &[index.as_slice()]].concat()
        };
        Ok(all.concat())
    }

    /// Forgets the index of a shard that has been written or replaced.
    pub(crate) fn forget(&self, shard: &[usize]) {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).remove(shard);
    }

    /// The shard that holds a chunk, and the chunk's place in the shard's index.
    pub(crate) fn locate(&self, index: &[usize]) -> (Vec<usize>, usize) {
        let (mut shard, mut position) = (Vec::with_capacity(index.len()), 0_usize);
        for (&index, &count) in index.iter().zip(&self.chunks_per_shard) {
            // Neither can fail: shards hold chunks, and their number fits into memory.
            shard.push(index.checked_div(count).unwrap_or(0));
            let inside = index.checked_rem(count).unwrap_or(0);
            position = position.saturating_mul(count).saturating_add(inside);
        }
        (shard, position)
    }

    /// The index of a shard; none if the shard is not stored, which another process may change.
    fn shard_index(
        &self,
        container: &Container,
        array: &StoredArray,
        shard: &[usize],
    ) -> Result<Option<Arc<ShardIndex>>, ShardError> {
        let cache = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = cache().get(shard) {
            return Ok(Some(Arc::clone(known)));
        }
        let (store, key) = (array.storage(), array.chunk_key(&wide(shard)));
        let Some(shard_size) = store.size_key(&key)? else {
            return Ok(None);
        };
        if shard_size > self.max_shard_size {
            return Err(ShardError::Corrupt(format!(
                "the shard has {shard_size} bytes, more than the {} that it has at most",
                self.max_shard_size
            )));
        }
        if shard_size < self.index_size {
            return Err(ShardError::Corrupt(format!(
                "the shard has {shard_size} bytes, less than the {} of its index",
                self.index_size
            )));
        }
        let Some((encoded, version)) = container.part(&key, self.index_range, None)? else {
            return Ok(None);
        };
        let decoded = self
            .index
            .decode(encoded.into())
            .map_err(|reason| ShardError::Corrupt(format!("the shard's index: {reason}")))?;
        let entries: Vec<[u64; 2]> = bytemuck::pod_collect_to_vec(&decoded);
        drop(decoded);
        // Of what was read, should the size have changed since it was asked for.
        let shard_size = version.as_ref().map_or(shard_size, |version| version.size);
        let mut cache = cache();
        if cache.len().saturating_mul(entries.len().max(1)) >= MAX_CACHED_ENTRIES {
            cache.clear();
        }
        let index = Arc::new(ShardIndex { shard_size, version, entries });
        cache.insert(shard.to_vec(), Arc::clone(&index));
        Ok(Some(index))
    }
}

/// Refuses shards, and shards in shards, with an index of a size that makes zarrs overflow or no machine
/// can hold. What else is wrong with the codecs is left to zarrs.
pub(crate) fn check_index_sizes(codecs: &Value, shape: &[u64]) -> Result<(), String> {
    let volume = |shape: &[u64]| shape.iter().try_fold(1_u64, |all, &n| all.checked_mul(n));
    for codec in codecs.as_array().into_iter().flatten() {
        let configuration = codec.get("configuration");
        let list = |key: &str| configuration.and_then(|object| object.get(key));
        let chunk_shape = list("chunk_shape").and_then(Value::as_array);
        let chunk_shape = chunk_shape
            .and_then(|shape| shape.iter().map(Value::as_u64).collect::<Option<Vec<_>>>());
        let (Some("sharding_indexed"), Some(chunk_shape)) =
            (codec.get("name").and_then(Value::as_str), chunk_shape)
        else {
            continue;
        };
        // The order of the axes, which codecs before this one may change, does not matter.
        let count =
            volume(shape).zip(volume(&chunk_shape)).and_then(|(all, one)| all.checked_div(one));
        if count.is_none_or(|count| count > MAX_INDEX_SIZE / INDEX_ENTRY_SIZE) {
            return Err(format!("an index of chunks of {chunk_shape:?} in shards of {shape:?}"));
        }
        check_index_sizes(list("codecs").unwrap_or(&Value::Null), &chunk_shape)?;
    }
    Ok(())
}

/// The shape of a chunk, and the number of chunks in a shard along each axis; none if they do not fit.
fn divide(shard_shape: &[usize], chunk_shape: &[NonZeroU64]) -> Option<(Vec<usize>, Vec<usize>)> {
    if shard_shape.len() != chunk_shape.len() {
        return None;
    }
    let axis = |(&shard, chunk): (&usize, &NonZeroU64)| {
        let chunk = usize::try_from(chunk.get()).ok()?;
        Some((chunk, shard.checked_div(chunk)?)).filter(|_| shard.is_multiple_of(chunk))
    };
    shard_shape.iter().zip(chunk_shape).map(axis).collect()
}
