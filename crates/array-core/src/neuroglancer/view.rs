//! A whole view: layers, and where the viewer stands.

use serde_json::{Value, json};

use crate::error::ArrayError;
use crate::info::ArrayInfo;
use crate::neuroglancer::layer::Layer;
use crate::neuroglancer::{check, dimensions};

/// How many pixels of the screen the longest side of the array takes at first.
const PIXELS: f64 = 320.0;

/// The state of a viewer that shows `layers`, the first one at the bottom, and stands in the middle of
/// `info`.
///
/// Dimensions are the spatial axes in the order x, y, z. The position is in voxels of `info` from the
/// world's zero, at the centre of the voxel in the middle: Neuroglancer counts from the corner of voxel
/// 0, as regions do.
///
/// # Errors
///
/// [`ArrayError::NotShowable`] if Neuroglancer cannot show `info` or a layer.
pub fn state(info: &ArrayInfo, layers: &[Layer<'_>]) -> Result<Value, ArrayError> {
    check(info)?;
    let layers = layers.iter().map(Layer::to_json).collect::<Result<Vec<_>, _>>()?;
    let dimensions = dimensions::global(info)?;
    let display: Vec<&String> = dimensions.keys().collect();
    let longest = longest_side(info);
    Ok(json!({
        "dimensions": dimensions,
        "displayDimensions": display,
        "position": position(info)?,
        "crossSectionScale": longest / PIXELS,
        "projectionScale": longest * 2.0,
        "layers": layers,
        "layout": if info.dims() == 3 { "4panel" } else { "xy" },
    }))
}

/// The centre of the voxel in the middle, in voxels, in the order x, y, z.
fn position(info: &ArrayInfo) -> Result<Vec<f64>, ArrayError> {
    let (corner, shape) = (info.roi().offset()?, info.spatial_shape());
    let voxel_size = info.grid().voxel_size();
    Ok(corner
        .iter()
        .zip(voxel_size.iter())
        .zip(shape)
        .rev()
        .map(|((corner, voxel), extent)| float(*corner) / float(*voxel) + middle(*extent))
        .collect())
}

fn middle(extent: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a view is drawn, not computed with")]
    let half = (extent / 2) as f64;
    half + 0.5
}

/// The longest side in multiples of the shortest side of a voxel, in which Neuroglancer scales.
fn longest_side(info: &ArrayInfo) -> f64 {
    let voxel_size = info.grid().voxel_size();
    let shortest = voxel_size.iter().min().copied().unwrap_or(1);
    let sides = info.spatial_shape().iter().zip(voxel_size.iter());
    #[expect(clippy::cast_precision_loss, reason = "a view is drawn, not computed with")]
    let sides = sides.map(|(extent, voxel)| *extent as f64 * float(*voxel) / float(shortest));
    sides.fold(1.0, f64::max)
}

#[expect(clippy::cast_precision_loss, reason = "a view is drawn, not computed with")]
fn float(value: i64) -> f64 {
    value as f64
}
