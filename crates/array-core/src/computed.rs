//! What wrappers that compute their voxels share.

use geometry::Window;

use crate::any_array::AnyArray;
use crate::array::{Array, Visitor};
use crate::blocks::{Block, Output};
use crate::error::ArrayError;
use crate::info::ArrayInfo;

/// Computes the voxels of `window` in a buffer and hands them to `visitor`.
pub(crate) fn visit_computed(
    info: &ArrayInfo,
    window: &Window,
    visitor: &mut Visitor<'_>,
    write: impl FnOnce(Output<'_>) -> Result<(), ArrayError>,
) -> Result<(), ArrayError> {
    let mut buffer = buffer(info, window)?;
    write(Output::zeroed(buffer.view_mut()))?;
    visitor(Block::Voxels(buffer.view()))
}

/// Zeros for the voxels of `window`, with all channels.
pub(crate) fn buffer(info: &ArrayInfo, window: &Window) -> Result<AnyArray, ArrayError> {
    AnyArray::zeros(info.dtype(), &[info.channel_shape(), window.shape()].concat())
}

/// Visits `window` of `source`, and lets `write` put what comes of it into `out`.
pub(crate) fn visit_into<A: Array + ?Sized>(
    source: &A,
    window: &Window,
    out: Output<'_>,
    write: &(impl Fn(&Block<'_>, Output<'_>) -> Result<(), ArrayError> + Sync + ?Sized),
) -> Result<(), ArrayError> {
    // The visitor is called once, but only the source knows that.
    let mut out = Some(out);
    source.visit(window, &mut |block| match out.take() {
        Some(out) => write(&block, out),
        None => Ok(()),
    })
}

/// Fails unless all sources cover the same voxels of the world, with elements of one type.
///
/// # Errors
///
/// [`ArrayError::NoSources`] or [`ArrayError::SourcesDiffer`].
pub(crate) fn same_place<A: Array>(wrapper: &'static str, sources: &[A]) -> Result<(), ArrayError> {
    let Some(first) = sources.first().map(Array::info) else {
        return Err(ArrayError::NoSources { wrapper });
    };
    for (index, source) in sources.iter().enumerate().skip(1) {
        let info = source.info();
        let facts = |info: &ArrayInfo| {
            [
                ("spatial axes", format!("{:?}", info.spatial_axes())),
                ("world unit", info.unit().to_string()),
                ("voxel size", info.grid().voxel_size().to_string()),
                ("region", info.roi().to_string()),
                ("element type", info.dtype().to_string()),
            ]
        };
        for ((what, expected), (_, found)) in facts(first).into_iter().zip(facts(info)) {
            if expected != found {
                return Err(ArrayError::SourcesDiffer { wrapper, index, what, expected, found });
            }
        }
    }
    Ok(())
}
