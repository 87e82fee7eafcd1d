//! The chunks of one place, computed.

use std::sync::atomic::{AtomicBool, Ordering};

use array_core::{
    AnyArray, AnyView, Array, ArrayError, Block, Output, Scalar, for_any, walk_blocks,
};
use bytemuck::NoUninit;
use geometry::Window;
use ndarray::ArrayViewD;
use zarr_source::{EncodedChunk, ZarrError};

use crate::chunk::{Chunk, Chunks};
use crate::error::ServeError;

/// What encodes the elements of one channel of a chunk; none if all of them are zero.
pub(crate) type Encode<'a> = dyn Fn(&[u8]) -> Result<Option<EncodedChunk>, ZarrError> + Sync + 'a;

/// Computes the chunks of all channels, of which `window` is what lies in the array: block by block, in the
/// calling thread, until `stop` is set.
///
/// Where all blocks are constant zero, as those are that are not stored, nothing is decoded and no memory
/// asked for.
pub(crate) fn compute(
    array: &dyn Array,
    window: &Window,
    chunk_shape: &[usize],
    encode: &Encode<'_>,
    stop: &AtomicBool,
) -> Result<Chunks, ServeError> {
    let info = array.info();
    let channel_dims = info.channel_dims();
    let shape = [info.channel_shape(), chunk_shape].concat();
    let mut elements: Option<AnyArray> = None;
    let mut encoded: Option<Result<Chunks, ServeError>> = None;
    walk_blocks(window, info.blocks(), (), &mut |part, ()| {
        if stop.load(Ordering::Relaxed) {
            return Err(ServeError::Abandoned);
        }
        array.visit(part, &mut |block| {
            match &block {
                Block::Constant(value) if is_zero(*value) => return Ok(()),
                // The whole chunk is in one block: it need not be copied.
                Block::Voxels(voxels) if part.shape() == chunk_shape => {
                    encoded = encode_view(voxels, channel_dims, encode);
                    if encoded.is_some() {
                        return Ok(());
                    }
                }
                _ => {}
            }
            let all = match &mut elements {
                Some(all) => all,
                none => none.insert(AnyArray::zeros(info.dtype(), &shape)?),
            };
            let mut place = Output::new(all.view_mut());
            for axis in 0..window.dims() {
                let start = part.start()[axis].saturating_sub(window.start()[axis]);
                place = place.slice_axis(channel_dims + axis, start, part.shape()[axis]);
            }
            place.assign(&block)
        })?;
        Ok(())
    })?;
    match (encoded, elements) {
        (Some(encoded), _) => encoded,
        (None, None) => Ok(Chunks::new(Vec::new())),
        (None, Some(elements)) if stop.load(Ordering::Relaxed) => {
            drop(elements);
            Err(ServeError::Abandoned)
        }
        (None, Some(elements)) => match encode_view(&elements.view(), channel_dims, encode) {
            Some(encoded) => encoded,
            None => {
                Err(ArrayError::BadInfo { reason: "a new array is in C order".to_owned() }.into())
            }
        },
    }
}

fn is_zero(value: Scalar) -> bool {
    match value {
        // The sign of a zero is a part of it.
        Scalar::F32(value) => value.to_bits() == 0,
        Scalar::F64(value) => value.to_bits() == 0,
        value => value.to_integer() == Some(0),
    }
}

/// Encodes the chunk of each channel; none if the elements are not in C order.
fn encode_view(
    voxels: &AnyView<'_>,
    channel_dims: usize,
    encode: &Encode<'_>,
) -> Option<Result<Chunks, ServeError>> {
    for_any!(AnyView, voxels, |view| encode_typed(view, channel_dims, encode))
}

fn encode_typed<T: NoUninit>(
    view: &ArrayViewD<'_, T>,
    channel_dims: usize,
    encode: &Encode<'_>,
) -> Option<Result<Chunks, ServeError>> {
    let bytes: &[u8] = bytemuck::cast_slice(view.as_slice()?);
    let channels = view.shape().get(..channel_dims)?.iter().product::<usize>();
    let size = bytes.len().checked_div(channels).filter(|&size| size > 0)?;
    let mut all: Vec<Option<Chunk>> = Vec::with_capacity(channels);
    // The last channel that was not zero: in masks, all that are kept are equal.
    let mut last: Option<(&[u8], Chunk)> = None;
    for elements in bytes.chunks_exact(size) {
        if let Some((same, chunk)) = &last
            && *same == elements
        {
            all.push(Some(chunk.clone()));
            continue;
        }
        match encode(elements) {
            Err(error) => return Some(Err(error.into())),
            Ok(None) => all.push(None),
            Ok(Some(encoded)) => {
                let chunk = Chunk::from(encoded);
                last = Some((elements, chunk.clone()));
                all.push(Some(chunk));
            }
        }
    }
    Some(Ok(Chunks::new(all)))
}
