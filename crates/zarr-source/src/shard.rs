//! Shards: files that hold many chunks and an index of them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use array_core::Scalar;
use serde_json::{Value, json};

use crate::codecs::ChunkCodec;
use crate::spec::named;

/// The number of index entries that are kept before old ones are dropped: 16 MB.
const MAX_CACHED_ENTRIES: usize = 1 << 20;
/// What the index says of a chunk that is not stored.
const MISSING: u64 = u64::MAX;

/// How the chunks of a sharded array lie in its shards.
#[derive(Debug)]
pub(crate) struct Sharding {
    pub(crate) chunk_shape: Vec<usize>,
    pub(crate) chunk_codec: ChunkCodec,
    chunks_per_shard: Vec<usize>,
    index_codec: ChunkCodec,
    index_size: u64,
    index_at_end: bool,
    cache: Mutex<HashMap<Vec<usize>, Arc<ShardIndex>>>,
}

/// Offset and size of every chunk of a shard; none if the shard is not stored.
type ShardIndex = Option<Vec<[u64; 2]>>;

/// Why a chunk of a shard could not be read.
pub(crate) enum ShardError {
    Io(io::Error),
    Corrupt(String),
}

impl From<io::Error> for ShardError {
    fn from(error: io::Error) -> Self {
        // The index of a shard pointed beyond its end, or the file is shorter than an index.
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Self::Corrupt("the shard ends too early".to_owned());
        }
        Self::Io(error)
    }
}

impl Sharding {
    /// The sharding that an array's only codec describes; none if the codecs are others. Otherwise
    /// what is not supported.
    pub(crate) fn new(
        codecs: &[Value],
        shard_shape: &[usize],
        fill_value: Scalar,
    ) -> Result<Option<Self>, String> {
        let [codec] = codecs else {
            return Ok(None);
        };
        let Some(("sharding_indexed", Some(configuration))) = named(codec) else {
            return Ok(None);
        };
        let list = |key: &str| configuration.get(key).and_then(Value::as_array);
        let inner = list("codecs").ok_or("sharding_indexed without codecs")?;
        let index = list("index_codecs").ok_or("sharding_indexed without index_codecs")?;
        let chunk_shape = list("chunk_shape")
            .and_then(|shape| {
                let extent = |n: &Value| usize::try_from(n.as_u64()?).ok().filter(|&n| n > 0);
                shape.iter().map(extent).collect::<Option<Vec<_>>>()
            })
            .filter(|shape| shape.len() == shard_shape.len())
            .ok_or("sharding_indexed without a chunk_shape of the array's dims")?;
        let divides = |(shard, chunk): (&usize, &usize)| shard.is_multiple_of(*chunk);
        if !shard_shape.iter().zip(&chunk_shape).all(divides) {
            return Err(format!("the chunk shape {chunk_shape:?} in shards of {shard_shape:?}"));
        }
        let chunks_per_shard: Vec<usize> = shard_shape
            .iter()
            .zip(&chunk_shape)
            .map(|(shard, chunk)| shard.checked_div(*chunk).unwrap_or(0))
            .collect();
        let index_shape = [&chunks_per_shard[..], &[2]].concat();
        let index_codec = ChunkCodec::new(index, &index_shape, Scalar::U64(MISSING))?;
        let index_size = index_codec
            .encoded_size()?
            .ok_or("a shard index whose size differs from shard to shard")?;
        let index_at_end = match configuration.get("index_location") {
            None => true,
            Some(value) if value == &json!("end") => true,
            Some(value) if value == &json!("start") => false,
            Some(value) => return Err(format!("the shard index location {value}")),
        };
        Ok(Some(Self {
            chunk_codec: ChunkCodec::new(inner, &chunk_shape, fill_value)?,
            chunk_shape,
            chunks_per_shard,
            index_codec,
            index_size,
            index_at_end,
            cache: Mutex::default(),
        }))
    }

    /// The encoded bytes of chunk `index` (counted over the whole array), and the index of its shard;
    /// none if it is not stored. `open` opens the file of a shard.
    pub(crate) fn read(
        &self,
        index: &[usize],
        open: impl Fn(&[usize]) -> io::Result<Option<File>>,
    ) -> Result<Option<Vec<u8>>, ShardError> {
        let (shard, position) = self.locate(index);
        let known = self.cached(&shard);
        let mut file = None;
        let entries = match known {
            Some(entries) => entries,
            None => {
                file = open(&shard)?;
                let entries = match &mut file {
                    Some(file) => Some(self.read_index(file)?),
                    None => None,
                };
                self.remember(shard.clone(), entries)
            }
        };
        let Some([offset, size]) = entries.as_ref().as_ref().and_then(|list| list.get(position))
        else {
            return Ok(None);
        };
        if (*offset, *size) == (MISSING, MISSING) {
            return Ok(None);
        }
        if file.is_none() {
            file = open(&shard)?;
        }
        let Some(mut file) = file else {
            return Err(ShardError::Corrupt("the shard has gone".to_owned()));
        };
        let len = file.metadata()?.len();
        if offset.checked_add(*size).is_none_or(|end| end > len) {
            return Err(ShardError::Corrupt(format!(
                "the shard's index places it at {offset}, {size} bytes long, in a file of {len} bytes"
            )));
        }
        file.seek(SeekFrom::Start(*offset))?;
        read_exactly(&mut file, *size).map(Some)
    }

    /// Forgets the index of a shard that has been written.
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

    fn cached(&self, shard: &[usize]) -> Option<Arc<ShardIndex>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(shard).map(Arc::clone)
    }

    fn remember(&self, shard: Vec<usize>, index: ShardIndex) -> Arc<ShardIndex> {
        let index = Arc::new(index);
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = self.chunks_per_shard.iter().product::<usize>().max(1);
        if cache.len().saturating_mul(entries) >= MAX_CACHED_ENTRIES {
            cache.clear();
        }
        // A shard that is not stored may be written by another process at any time.
        if index.is_some() {
            cache.insert(shard, Arc::clone(&index));
        }
        index
    }

    fn read_index(&self, file: &mut File) -> Result<Vec<[u64; 2]>, ShardError> {
        let len = file.metadata()?.len();
        if len < self.index_size {
            return Err(ShardError::Corrupt(format!(
                "the shard has {len} bytes, less than the {} of its index",
                self.index_size
            )));
        }
        let start = if self.index_at_end { len.saturating_sub(self.index_size) } else { 0 };
        file.seek(SeekFrom::Start(start))?;
        let bytes = read_exactly(file, self.index_size)?;
        let decoded = self
            .index_codec
            .decode(bytes)
            .map_err(|reason| ShardError::Corrupt(format!("the shard's index: {reason}")))?;
        let number = |bytes: &[u8]| bytes.try_into().map_or(MISSING, u64::from_ne_bytes);
        let entry = |bytes: &[u8]| {
            let (offset, size) = bytes.split_at(8);
            [number(offset), number(size)]
        };
        Ok(decoded.chunks_exact(16).map(entry).collect())
    }
}

fn read_exactly(file: &mut File, size: u64) -> Result<Vec<u8>, ShardError> {
    let size = usize::try_from(size)
        .map_err(|_| ShardError::Corrupt(format!("{size} bytes do not fit into memory")))?;
    let mut bytes = vec![0; size];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
