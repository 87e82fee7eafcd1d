//! Chunks that were computed, kept for the next request.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use crate::chunk::Chunks;
use crate::error::ServeError;

/// A place: the layer, the scale level, and the number of the block in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PlaceKey {
    pub(crate) layer: usize,
    pub(crate) level: usize,
    pub(crate) block: usize,
}

/// What a place holds, or why it could not be computed: told to all who wait, and then forgotten.
type Computed = Result<Chunks, Arc<ServeError>>;

/// The chunks of places, with one limit for their bytes.
pub(crate) struct ChunkCache {
    places: Cache<PlaceKey, Computed, Bytes>,
    computed: AtomicU64,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<PlaceKey, Computed> for Bytes {
    fn weight(&self, _key: &PlaceKey, computed: &Computed) -> u64 {
        computed.as_ref().map_or(1, Chunks::size)
    }
}

impl ChunkCache {
    pub(crate) fn new(max_bytes: u64) -> Self {
        // In one part, so that the limit is that of the whole.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(4096)
            .weight_capacity(max_bytes)
            .build()
            .expect("the capacities, which are all that it cannot do without, are given");
        let places = Cache::with_options(
            options,
            Bytes,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        );
        Self { places, computed: AtomicU64::new(0) }
    }

    /// What a place holds; if nobody knows, what `compute` gives. Of all who want it at the same time, one
    /// computes it and the others wait; if that one goes away before it is done, another begins anew.
    pub(crate) async fn get_or_compute<F>(
        &self,
        key: PlaceKey,
        compute: impl FnOnce() -> F,
    ) -> Computed
    where
        F: Future<Output = Result<Chunks, ServeError>>,
    {
        match self.places.get_value_or_guard_async(&key).await {
            Ok(known) => known,
            Err(place) => {
                self.computed.fetch_add(1, Ordering::Relaxed);
                let computed = compute().await.map_err(Arc::new);
                let failed = computed.is_err();
                // Somebody may have taken the place away meanwhile, which is no reason to fail.
                let _ = place.insert(computed.clone());
                if failed {
                    self.places.remove(&key);
                }
                computed
            }
        }
    }

    /// The size in bytes of what is kept.
    pub(crate) fn bytes(&self) -> u64 {
        self.places.weight()
    }

    /// How often a place was computed, or was begun to be.
    pub(crate) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for ChunkCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkCache").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}
