//! Blocks that have been read, kept for the next read.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::sync::{Cache, DefaultLifecycle, GuardResult};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use crate::any_array::AnyArray;
use crate::error::ArrayError;
use crate::scalar::Scalar;

/// How long a thread waits for another one that reads the block it wants, before it reads the block
/// itself.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a block takes beside its voxels, roughly.
const OVERHEAD: u64 = 128;

/// A cache of the blocks of any number of arrays, with one limit for the bytes of all of them.
///
/// Make one for a training run, and a [`crate::CachedArray`] of each crop. When it is full, blocks that
/// were not used again go first. Threads share it: a block that one of them is reading is read by no
/// other.
///
/// ```
/// use std::sync::Arc;
///
/// use array_core::{ArrayExt, ArrayInfo, BlockCache, CachedArray, DType, MemoryArray};
/// use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[3], grid)?;
/// let labels = MemoryArray::new(info, ndarray::array![7_u8, 8, 9].into_dyn())?;
///
/// let cache = Arc::new(BlockCache::new(64 << 20));
/// let labels = CachedArray::new(labels, &cache);
/// for offset in [0, 4, 8] {
///     labels.read(&Roi::new([offset], [4])?)?;
/// }
/// assert_eq!((cache.stats().misses, cache.stats().hits), (1, 2));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct BlockCache {
    blocks: Cache<BlockKey, Kept, Bytes>,
    max_bytes: u64,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// The array, by its number in this process, and the number of the block in it.
pub(crate) type BlockKey = (u64, usize);

/// What is kept of a block.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    Constant(Scalar),
    Voxels(Arc<AnyArray>),
}

/// What a [`BlockCache`] holds, and how often it helped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// How often a block was there.
    pub hits: u64,
    /// How often it had to be read.
    pub misses: u64,
    /// The blocks that are kept now.
    pub blocks: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// The size that they may have together.
    pub max_bytes: u64,
}

impl CacheStats {
    /// The share of reads for which the block was there, from 0 to 1; 0 if nothing has been read.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
    pub fn hit_rate(&self) -> f64 {
        match self.hits.saturating_add(self.misses) {
            0 => 0.0,
            all => self.hits as f64 / all as f64,
        }
    }
}

#[derive(Clone)]
struct Bytes;

impl Weighter<BlockKey, Kept> for Bytes {
    fn weight(&self, _key: &BlockKey, kept: &Kept) -> u64 {
        let bytes = match kept {
            Kept::Constant(_) => 0,
            Kept::Voxels(voxels) => {
                let elements =
                    voxels.shape().iter().fold(1_usize, |all, &extent| all.saturating_mul(extent));
                u64::try_from(elements.saturating_mul(voxels.dtype().size())).unwrap_or(u64::MAX)
            }
        };
        bytes.saturating_add(OVERHEAD)
    }
}

thread_local! {
    /// Whether this thread is reading a block for the cache.
    static FILLING: Cell<bool> = const { Cell::new(false) };
}

/// Says that this thread is reading a block, until it is dropped.
struct Filling;

impl Filling {
    fn begin() -> Self {
        FILLING.set(true);
        Self
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        FILLING.set(false);
    }
}

impl BlockCache {
    /// A cache whose blocks have at most `max_bytes` together; with 0, none is kept.
    ///
    /// # Panics
    ///
    /// Never: a limit of any size is one.
    #[must_use]
    pub fn new(max_bytes: u64) -> Self {
        // In one part, so that the limit is that of the whole: a look into it takes no time beside the
        // use of a block.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(1024)
            .weight_capacity(max_bytes)
            .build()
            .expect("the capacities, which are all that it cannot do without, are given");
        let blocks = Cache::with_options(
            options,
            Bytes,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        );
        Self { blocks, max_bytes, hits: AtomicU64::default(), misses: AtomicU64::default() }
    }

    /// What is kept, and how often it helped, so far.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            blocks: u64::try_from(self.blocks.len()).unwrap_or(u64::MAX),
            bytes: self.blocks.weight(),
            max_bytes: self.max_bytes,
        }
    }

    /// Lets go of all blocks.
    pub fn clear(&self) {
        self.blocks.clear();
    }

    /// The block `key`; if it is not there, what `read` gives, which is kept unless it is an error.
    ///
    /// A thread that wants what another one is reading waits for it, with two exceptions, without which
    /// threads could wait for each other in a circle: `read` may wait for work of others (as rayon does),
    /// and do any other work meanwhile, which wants blocks. So a thread that is reading a block itself
    /// does not wait at all, and no thread waits for ever; both read the block for themselves.
    pub(crate) fn get_or_read(
        &self,
        key: BlockKey,
        read: impl FnOnce() -> Result<Kept, ArrayError>,
    ) -> Result<Kept, ArrayError> {
        let patience = if FILLING.get() { Duration::ZERO } else { PATIENCE };
        match self.blocks.get_value_or_guard(&key, Some(patience)) {
            GuardResult::Value(kept) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                Ok(kept)
            }
            GuardResult::Guard(place) => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                let filling = (!FILLING.get()).then(Filling::begin);
                // Where this fails, also by a panic, the next one who waits has the place.
                let kept = read();
                drop(filling);
                let kept = kept?;
                // Somebody may have cleared the cache meanwhile, which is no reason to fail.
                let _ = place.insert(kept.clone());
                Ok(kept)
            }
            GuardResult::Timeout => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                read()
            }
        }
    }
}

impl fmt::Debug for BlockCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("BlockCache").field(&self.stats()).finish()
    }
}
