//! Reading windows out of chunks.

use array_core::{AnyArray, AnyView, AnyViewMut, ArrayError, Block, Output, Visitor};
use geometry::Window;

use crate::chunks::Chunks;
use crate::elements::with_elements;
use crate::error::into_array_error;

/// A range of array indices along one axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

/// The part of an array that one chunk holds of a window, along all axes.
pub(crate) struct Part {
    /// The index of the chunk.
    pub(crate) index: Vec<usize>,
    /// Where the part lies in the chunk.
    pub(crate) in_chunk: Vec<Range>,
    /// Where it lies in the window.
    pub(crate) in_window: Vec<Range>,
}

/// A window over the spatial axes as one over all axes.
pub(crate) fn all_axes(shape: &[usize], channel_dims: usize, window: &Window) -> Vec<Range> {
    let channels = shape.iter().take(channel_dims).map(|&len| Range { start: 0, len });
    let spatial = window.start().iter().zip(window.shape());
    channels.chain(spatial.map(|(&start, &len)| Range { start, len })).collect()
}

/// The parts of a window that lie in one chunk each, in C order.
pub(crate) fn parts(window: &[Range], chunk_shape: &[usize]) -> Vec<Part> {
    let mut parts = vec![Part { index: Vec::new(), in_chunk: Vec::new(), in_window: Vec::new() }];
    for (range, &chunk) in window.iter().zip(chunk_shape) {
        let mut longer = Vec::new();
        for part in &parts {
            let (mut at, stop) = (range.start, range.start.saturating_add(range.len));
            while at < stop {
                // A chunk has voxels, which is checked when its shape is read.
                let (index, inside) = (at / chunk, at % chunk);
                let len = (chunk - inside).min(stop - at);
                let extend = |ranges: &[Range], start| [ranges, &[Range { start, len }]].concat();
                longer.push(Part {
                    index: [&part.index[..], &[index]].concat(),
                    in_chunk: extend(&part.in_chunk, inside),
                    in_window: extend(&part.in_window, at - range.start),
                });
                at += len;
            }
        }
        parts = longer;
    }
    parts
}

pub(crate) fn cut<'a>(view: &AnyView<'a>, ranges: &[Range]) -> AnyView<'a> {
    let mut view = view.clone();
    for (axis, range) in ranges.iter().enumerate() {
        view = view.slice_axis(axis, range.start, range.len);
    }
    view
}

pub(crate) fn cut_mut<'a>(mut view: AnyViewMut<'a>, ranges: &[Range]) -> AnyViewMut<'a> {
    for (axis, range) in ranges.iter().enumerate() {
        view = view.slice_axis(axis, range.start, range.len);
    }
    view
}

/// Hands the voxels of `window` to `visitor`.
///
/// A window in one chunk is a view of the decoded chunk; others are put together first. Where no chunk
/// is stored, nothing is allocated.
pub(crate) fn visit(
    chunks: &Chunks,
    channel_dims: usize,
    window: &Window,
    visitor: &mut Visitor<'_>,
) -> Result<(), ArrayError> {
    visit_ranges(chunks, &all_axes(&chunks.shape, channel_dims, window), visitor)
}

/// The same for a window over all axes.
pub(crate) fn visit_ranges(
    chunks: &Chunks,
    window: &[Range],
    visitor: &mut Visitor<'_>,
) -> Result<(), ArrayError> {
    let parts = parts(window, chunks.chunk_shape());
    if let [part] = &parts[..] {
        return visit_chunk(chunks, part, visitor);
    }
    let shape: Vec<usize> = window.iter().map(|range| range.len).collect();
    let mut whole: Option<AnyArray> = None;
    for part in &parts {
        visit_chunk(chunks, part, &mut |block| {
            if whole.is_none() && matches!(block, Block::Constant(_)) {
                return Ok(());
            }
            let whole = match &mut whole {
                Some(whole) => whole,
                None => whole.insert(filled(chunks, &shape)?),
            };
            Output::new(cut_mut(whole.view_mut(), &part.in_window)).assign(&block)
        })?;
    }
    match &whole {
        Some(whole) => visitor(Block::Voxels(whole.view())),
        None => visitor(Block::Constant(chunks.fill_value)),
    }
}

/// Hands the part of one chunk to `visitor`.
fn visit_chunk(chunks: &Chunks, part: &Part, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
    let Some(bytes) = chunks.read(&part.index).map_err(into_array_error)? else {
        return visitor(Block::Constant(chunks.fill_value));
    };
    let visit = |elements: AnyView<'_>| visitor(Block::Voxels(cut(&elements, &part.in_chunk)));
    with_elements(chunks.dtype(), chunks.chunk_shape(), &bytes, visit)
        .map_err(|reason| into_array_error(chunks.corrupt(&part.index, reason)))?
}

/// An array of fill values.
pub(crate) fn filled(chunks: &Chunks, shape: &[usize]) -> Result<AnyArray, ArrayError> {
    let mut array = AnyArray::zeros(chunks.dtype(), shape)?;
    if chunks.fill_value != array_core::Scalar::zero(chunks.dtype()) {
        array.view_mut().fill(chunks.fill_value)?;
    }
    Ok(array)
}
