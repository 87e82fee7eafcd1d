//! An array whose blocks are kept in a cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use geometry::Window;

use crate::any_array::{AnyArray, AnyView};
use crate::array::{Array, Visitor};
use crate::blocks::{Block, walk_blocks};
use crate::cache::{BlockCache, Kept};
use crate::computed::{buffer, visit_computed};
use crate::error::ArrayError;
use crate::info::ArrayInfo;
use crate::stored::StoredVisitor;

/// The blocks of an array, each read once as a whole and kept in a [`BlockCache`].
///
/// For reads that meet the same blocks again, such as random patches. It cannot be written: what others
/// write to its source while blocks of it are kept is not seen. Of an array with more blocks than a
/// `usize` can number, none is kept.
#[derive(Debug)]
pub struct CachedArray<A> {
    source: A,
    cache: Arc<BlockCache>,
    // Its number among all arrays that were ever cached.
    number: u64,
}

impl<A: Array> CachedArray<A> {
    /// Keeps the blocks of `source` in `cache`, which other arrays may share.
    pub fn new(source: A, cache: &Arc<BlockCache>) -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        Self { source, cache: Arc::clone(cache), number }
    }

    /// The array whose blocks are kept.
    pub fn source(&self) -> &A {
        &self.source
    }

    /// Where they are kept.
    pub fn cache(&self) -> &Arc<BlockCache> {
        &self.cache
    }

    /// Hands the voxels of a window that lies in one block to `visitor`.
    fn visit_block(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        let info = self.source.info();
        let (number, block) = info.blocks().around(window, info.spatial_shape());
        let Some(number) = number else {
            return self.source.visit(window, visitor);
        };
        let kept = self.cache.get_or_read((self.number, number), || self.read_block(&block))?;
        match kept {
            Kept::Constant(value) => visitor(Block::Constant(value)),
            Kept::Voxels(voxels) => {
                let mut view = voxels.view();
                let starts = window.start().iter().zip(block.start());
                for (axis, ((&start, &begin), &len)) in starts.zip(window.shape()).enumerate() {
                    let axis = info.channel_dims().saturating_add(axis);
                    view = view.slice_axis(axis, start.saturating_sub(begin), len);
                }
                visitor(Block::Voxels(view))
            }
        }
    }

    fn read_block(&self, block: &Window) -> Result<Kept, ArrayError> {
        let mut kept = None;
        self.source.visit(block, &mut |voxels| {
            kept = Some(match voxels {
                Block::Constant(value) => Kept::Constant(value),
                Block::Voxels(voxels) => Kept::Voxels(Arc::new(copied(&voxels)?)),
            });
            Ok(())
        })?;
        // Every array visits each window once; nothing is lost if one does not.
        Ok(match kept {
            Some(kept) => kept,
            None => Kept::Voxels(Arc::new(buffer(self.source.info(), block)?)),
        })
    }
}

/// An owned copy, or an error if there is no memory for it.
fn copied(voxels: &AnyView<'_>) -> Result<AnyArray, ArrayError> {
    let mut copy = AnyArray::zeros(voxels.dtype(), voxels.shape())?;
    copy.view_mut().assign(voxels)?;
    Ok(copy)
}

impl<A: Array> Array for CachedArray<A> {
    fn info(&self) -> &ArrayInfo {
        self.source.info()
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        if window.is_empty() {
            return self.source.visit(window, visitor);
        }
        let info = self.source.info();
        let (_, block) = info.blocks().around(window, info.spatial_shape());
        if block.contains(window)? {
            return self.visit_block(window, visitor);
        }
        visit_computed(info, window, visitor, |place| {
            walk_blocks(window, info.blocks(), place, &mut |window, place| {
                let mut place = Some(place);
                self.visit_block(window, &mut |block| match place.take() {
                    Some(mut place) => place.assign(&block),
                    None => Ok(()),
                })
            })
        })
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        self.source.visit_stored(window, visitor)
    }

    fn kind(&self) -> &'static str {
        "a cached array"
    }

    fn is_virtual(&self) -> bool {
        self.source.is_virtual()
    }
}
