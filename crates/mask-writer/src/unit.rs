//! The chunks of one array in one unit.

use std::borrow::Cow;

use array_core::{Array, ArrayError, DType, Element, check_memory};
use ndarray::{ArrayViewD, ArrayViewMutD, IxDyn, Slice};
use zarr_source::{ChunkWriter, EncodedChunk, ZarrArray};

use crate::cells::Cell;
use crate::error::WriteError;
use crate::plan::Plan;

/// Writes the chunks of one array in one unit; a shard is put together in memory, of encoded chunks.
#[derive(Debug)]
pub(crate) struct UnitWriter<'a> {
    writer: ChunkWriter<'a>,
    dtype: DType,
    /// Along the spatial axes.
    chunk_shape: &'a [usize],
    shard: Option<Shard>,
}

#[derive(Debug)]
struct Shard {
    /// Which shard it is, along the spatial axes.
    index: Vec<usize>,
    /// How many chunks it has along each of them.
    counts: Vec<usize>,
    /// The chunks of each channel.
    channels: Vec<Vec<Option<EncodedChunk>>>,
    /// The size in bytes of all of them.
    bytes: u64,
}

/// The last chunk of an array that was not empty, at the same place in an earlier channel.
pub(crate) type Last<'b> = Option<(Cow<'b, [u8]>, EncodedChunk)>;

impl<'a> UnitWriter<'a> {
    pub(crate) fn new(
        array: &'a ZarrArray,
        plan: &'a Plan,
        unit: &Cell,
    ) -> Result<Self, WriteError> {
        let chunk_shape = &plan.chunk_shape;
        let shard = plan.shard_shape.as_ref().map(|shard| {
            let counts: Vec<usize> =
                shard.iter().zip(chunk_shape).map(|(shard, chunk)| shard / chunk).collect();
            let channels = array.info().channel_shape()[0];
            let places = counts.iter().try_fold(1_usize, |all, &count| all.checked_mul(count));
            let bytes = places
                .and_then(|places| places.checked_mul(channels))
                .and_then(|all| all.checked_mul(size_of::<Option<EncodedChunk>>()))
                .map(|bytes| bytes as u64);
            check_memory(bytes, || format!("the index of shards of {counts:?} chunks"))?;
            let channels = vec![vec![None; places.unwrap_or_default()]; channels];
            Ok::<_, WriteError>(Shard { index: unit.index.clone(), counts, channels, bytes: 0 })
        });
        let shard = shard.transpose()?;
        let dtype = array.info().dtype();
        Ok(Self { writer: array.chunk_writer()?, dtype, chunk_shape, shard })
    }

    /// The voxels of a chunk as it stores them, with zeros where it reaches beyond the array.
    pub(crate) fn elements<'b>(
        &self,
        voxels: ArrayViewD<'b, u8>,
    ) -> Result<Cow<'b, [u8]>, WriteError> {
        if self.dtype == DType::F32 {
            let floats = padded(&voxels.map(|&voxel| f32::from(voxel)).view(), self.chunk_shape)?;
            return Ok(Cow::Owned(bytemuck::cast_slice(&floats).to_vec()));
        }
        if voxels.shape() == self.chunk_shape
            && let Some(slice) = voxels.to_slice()
        {
            return Ok(Cow::Borrowed(slice));
        }
        Ok(Cow::Owned(padded(&voxels, self.chunk_shape)?))
    }

    /// Writes a chunk, of which `elements` are those of [`UnitWriter::elements`]. Channels that are equal are
    /// encoded once: `last` is none in front of the first channel.
    pub(crate) fn put<'b>(
        &mut self,
        channel: usize,
        chunk: &[usize],
        elements: Cow<'b, [u8]>,
        last: &mut Last<'b>,
    ) -> Result<(), WriteError> {
        let encoded = match last {
            Some((same, encoded)) if is_same(same, &elements) => encoded.clone(),
            _ => match self.writer.encode(&elements)? {
                None => return Ok(()),
                Some(encoded) => {
                    *last = Some((elements, encoded.clone()));
                    encoded
                }
            },
        };
        match &mut self.shard {
            None => Ok(self.writer.store(&[&[channel], chunk].concat(), &encoded)?),
            Some(shard) => {
                let place = shard.place(chunk);
                shard.bytes = shard.bytes.saturating_add(encoded.size() as u64);
                let what = || format!("a shard of {:?} chunks, encoded,", shard.counts);
                check_memory(Some(shard.bytes), what)?;
                shard.channels[channel][place] = Some(encoded);
                Ok(())
            }
        }
    }

    /// Stores what is not stored yet.
    pub(crate) fn finish(self) -> Result<(), WriteError> {
        let Some(shard) = self.shard else { return Ok(()) };
        for (channel, chunks) in shard.channels.iter().enumerate() {
            self.writer.store_shard(&[&[channel], &shard.index[..]].concat(), chunks)?;
        }
        Ok(())
    }
}

/// Whether two chunks have the same elements; channels that share their memory need not be compared.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    std::ptr::eq(left, right) || left == right
}

impl Shard {
    /// The place of a chunk in its shard, in C order.
    fn place(&self, chunk: &[usize]) -> usize {
        let axes = chunk.iter().zip(&self.counts);
        axes.fold(0, |place, (&index, &count)| place * count + index % count)
    }
}

/// Elements in a corner of a box of zeros.
fn padded<T: Element>(part: &ArrayViewD<'_, T>, shape: &[usize]) -> Result<Vec<T>, WriteError> {
    let mut all = zeros::<T>(shape)?;
    if let Ok(mut view) = ArrayViewMutD::from_shape(IxDyn(shape), &mut all) {
        view.slice_each_axis_mut(|axis| Slice::from(0..part.shape()[axis.axis.index()]))
            .assign(part);
    }
    Ok(all)
}

/// A box of zeros, or an error if memory for it cannot be had.
pub(crate) fn zeros<T: Element>(shape: &[usize]) -> Result<Vec<T>, WriteError> {
    let len = shape.iter().try_fold(1_usize, |all, &extent| all.checked_mul(extent));
    let bytes = len.and_then(|len| len.checked_mul(size_of::<T>())).map(|bytes| bytes as u64);
    check_memory(bytes, || format!("a chunk of shape {shape:?} and type {}", T::DTYPE))?;
    let mut all = Vec::new();
    let fits = len.is_some_and(|len| all.try_reserve_exact(len).is_ok());
    match len.filter(|_| fits) {
        Some(len) => all.resize(len, T::default()),
        None => return Err(ArrayError::TooLarge { dtype: T::DTYPE, shape: shape.to_vec() }.into()),
    }
    Ok(all)
}
