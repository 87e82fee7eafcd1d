//! `voxmask preview`: labels, masks and targets of one slice as a picture.

mod canvas;
mod colours;
mod layout;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use annotation_mask::{ChannelSummary, LabelId, LabelList};
use anstream::stdout;
use anyhow::{Context, Result, bail};
use array_core::{AnyArray, Array, ArrayExt, ArrayInfo, for_any};
use geometry::{Decimal, Roi, Window};
use ndarray::{Array2, Array3, Axis};
use zarr_source::{Location, OpenOptions};

use crate::args::{PreviewArgs, UsageError};
use crate::preview::canvas::Canvas;
use crate::source;
use crate::truth::Truth;

/// Where to cut.
pub(crate) enum Slice {
    /// Through the middle of the first axis.
    Middle,
    /// Through the voxel that holds a place (in declared units) on an axis.
    At { axis: String, place: Decimal },
}

/// What to draw.
pub(crate) struct Picture<'a> {
    pub(crate) truth: &'a Truth,
    pub(crate) raw: Option<Arc<dyn Array>>,
    pub(crate) title: String,
}

/// The voxels of one slice, and what the layout says about them.
struct Planes {
    title: String,
    /// The extent of a pixel of the planes, rows before columns, in world units.
    pixel: [f64; 2],
    labels: Array2<LabelId>,
    /// The short names of labels.
    names: Vec<(LabelId, String)>,
    raw: Option<Array2<u8>>,
    /// One for each channel.
    mask: Array3<u8>,
    target: Array3<u8>,
    channels: Vec<ChannelSummary>,
}

pub(crate) fn run(args: &PreviewArgs) -> Result<()> {
    check_output(&args.output, args.overwrite)?;
    let slice = args.slice.as_deref().map_or(Ok(Slice::Middle), parse_slice)?;
    let table = source::class_table(&args.source.opening)?;
    let source = source::open(&args.source)?;
    let title = Location::from(&args.source.source).to_string();
    let truth = Truth::new(source, &args.channels, None, table.as_ref())
        .with_context(|| format!("cannot make a mask of {title}"))?;
    let raw = match &args.raw {
        Some(path) => {
            let options = OpenOptions {
                store: source::options(&args.source.opening)?.store,
                ..OpenOptions::default()
            };
            Some(Arc::new(source::open_array(path, &options)?) as Arc<dyn Array>)
        }
        None => None,
    };
    let picture = Picture { truth: &truth, raw, title };
    picture.draw(&slice)?.write_png(&args.output)?;
    writeln!(stdout(), "wrote {}", args.output.display())?;
    Ok(())
}

/// Fails if something is in the place of the picture, but for a picture that may be replaced.
fn check_output(output: &Path, overwrite: bool) -> Result<()> {
    const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
    if fs::symlink_metadata(output).is_err() {
        return Ok(());
    }
    if !overwrite {
        bail!("{} exists; add --overwrite to replace it", output.display());
    }
    let mut begin = [0; SIGNATURE.len()];
    let read = File::open(output).and_then(|mut file| file.read_exact(&mut begin));
    if read.is_err() || begin != SIGNATURE {
        bail!("{} exists and is no PNG, so that it is not replaced", output.display());
    }
    Ok(())
}

/// `z=1200`
fn parse_slice(text: &str) -> Result<Slice, UsageError> {
    let parsed = text.split_once('=').and_then(|(axis, place)| {
        Some(Slice::At { axis: axis.trim().to_owned(), place: place.trim().parse().ok()? })
    });
    parsed
        .ok_or_else(|| UsageError(format!("--slice {text:?}: expected AXIS=PLACE, such as z=1200")))
}

impl Picture<'_> {
    /// Reads the slice and draws it.
    pub(crate) fn draw(&self, slice: &Slice) -> Result<Canvas> {
        Ok(layout::draw(&self.planes(slice)?))
    }

    /// What the labels are: their axes, shape and place.
    fn info(&self) -> &ArrayInfo {
        match self.truth {
            Truth::Labels { pair, .. } => pair.mask().source().info(),
            Truth::Crop { pair, .. } => pair.crop().info(),
        }
    }

    fn planes(&self, slice: &Slice) -> Result<Planes> {
        let info = self.info();
        let dims = info.dims();
        if !(2..=3).contains(&dims) {
            bail!("a preview needs labels of 2 or 3 axes, not {:?}", info.axes());
        }
        let (roi, cut) = self.cut(slice)?;
        let pair = self.truth.pair();
        let channels = |array: &dyn Array| -> Result<Array3<u8>> {
            let values = flatten(array.read(&roi)?, cut, 1).into_typed::<u8>()?;
            Ok(values.into_dimensionality()?)
        };
        let target = channels(pair.target_array())?;
        let (labels, names) = match self.truth {
            Truth::Labels { pair, .. } => {
                let labels = flatten(pair.mask().source().read(&roi)?, cut, 0);
                let entries = pair.mask().labels().map(LabelList::entries).unwrap_or_default();
                let names = entries.iter().map(|entry| (entry.value, entry.short_name.clone()));
                (integers(&labels)?, names.collect())
            }
            Truth::Crop { .. } => topmost(&target, &pair.channels()),
        };
        let sizes = info.grid().voxel_size().as_coordinate();
        #[expect(clippy::cast_precision_loss, reason = "the shape of a pixel on the screen")]
        let kept: Vec<f64> =
            (0..dims).filter(|&axis| Some(axis) != cut).map(|axis| sizes[axis] as f64).collect();
        Ok(Planes {
            title: format!("{}   {}", self.title, self.place(&roi, cut)?),
            pixel: [kept[0], kept[1]],
            labels,
            names,
            raw: self.raw.as_deref().map(|raw| read_raw(raw, info, &roi, cut)).transpose()?,
            mask: channels(pair.mask_array())?,
            target,
            channels: pair.channels(),
        })
    }

    /// The region of the slice, and the axis along which it is one voxel thick.
    fn cut(&self, slice: &Slice) -> Result<(Roi, Option<usize>)> {
        let info = self.info();
        let names = info.spatial_axes();
        let shape = info.spatial_shape();
        if shape.contains(&0) {
            bail!("the labels have no voxels: their shape is {shape:?}");
        }
        let (axis, index) = match slice {
            Slice::Middle if info.dims() == 2 => return Ok((*info.roi(), None)),
            Slice::Middle => (0, shape[0] / 2),
            Slice::At { .. } if info.dims() == 2 => {
                return Err(UsageError("--slice: the labels are a plane already".to_owned()).into());
            }
            Slice::At { axis, place } => {
                let known = names.iter().position(|name| name == axis);
                let axis = known.ok_or_else(|| {
                    UsageError(format!("--slice: there is no axis {axis:?} among {names:?}"))
                })?;
                (axis, self.index_at(axis, *place)?)
            }
        };
        let (mut start, mut extent) = (vec![0; info.dims()], shape.to_vec());
        (start[axis], extent[axis]) = (index, 1);
        Ok((info.grid().roi(&Window::new(&start, &extent)?)?, Some(axis)))
    }

    /// The voxel along `axis` that holds a place in declared units.
    fn index_at(&self, axis: usize, place: Decimal) -> Result<usize> {
        let info = self.info();
        let unit = info.unit();
        let corner = unit.to_decimal(info.grid().offset()[axis]);
        let voxel_size = unit.to_decimal(info.grid().voxel_size().as_coordinate()[axis]);
        let steps = (place.checked_sub(corner)?.to_f64() / voxel_size.to_f64()).floor();
        let extent = info.spatial_shape()[axis];
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "checked to lie between 0 and the extent"
        )]
        let index = (0.0..extent as f64).contains(&steps).then_some(steps as usize);
        index.with_context(|| {
            let end = unit.to_decimal(info.roi().end().map_or(0, |end| end[axis]));
            let name = &info.spatial_axes()[axis];
            format!(
                "--slice {name}={place} is outside the labels, which reach from {corner} to {end}"
            )
        })
    }

    /// The place of the slice, for the title.
    fn place(&self, roi: &Roi, cut: Option<usize>) -> Result<String> {
        let Some(axis) = cut else { return Ok(String::new()) };
        let info = self.info();
        let begin = info.unit().to_decimal(roi.begin()?[axis]);
        Ok(format!("{} = {begin} {}", info.spatial_axes()[axis], info.unit().unit().symbol()))
    }
}

/// Takes out the axis along which a slice is one voxel thick, behind `channel_dims` others.
fn flatten(array: AnyArray, cut: Option<usize>, channel_dims: usize) -> AnyArray {
    let Some(axis) = cut else { return array };
    let axis = Axis(axis + channel_dims);
    for_any!(AnyArray, array, |values| values.index_axis_move(axis, 0).into())
}

/// The channels of a crop group as labels: at each voxel the last channel that is present, counted from 1.
fn topmost(
    target: &Array3<u8>,
    channels: &[ChannelSummary],
) -> (Array2<LabelId>, Vec<(LabelId, String)>) {
    let (_, rows, columns) = target.dim();
    let mut labels = Array2::zeros((rows, columns));
    let mut names = vec![(0, "none".to_owned())];
    for ((id, plane), channel) in (1..).zip(target.outer_iter()).zip(channels) {
        labels.zip_mut_with(&plane, |label, &present| {
            if present == 1 {
                *label = id;
            }
        });
        names.push((id, channel.name.clone()));
    }
    (labels, names)
}

/// Labels of any type as ids.
fn integers(labels: &AnyArray) -> Result<Array2<LabelId>> {
    macro_rules! ids {
        ($($variant:ident),+) => {
            match labels {
                $(AnyArray::$variant(values) => values.mapv(LabelId::from),)+
                other => bail!("elements of type {} cannot be labels", other.dtype()),
            }
        };
    }
    let ids = ids!(Bool, U8, U16, U32, U64, I8, I16, I32, I64);
    Ok(ids.into_dimensionality()?)
}

/// The image under the slice, in shades from its darkest to its brightest voxel.
fn read_raw(
    raw: &dyn Array,
    labels: &ArrayInfo,
    roi: &Roi,
    cut: Option<usize>,
) -> Result<Array2<u8>> {
    let context = "reading the slice of the image";
    let (from, to) = (labels.unit(), raw.info().unit());
    let roi = from.convert_roi(roi, &to).context(context)?;
    if raw.voxel_size()
        != from.convert_voxel_size(labels.grid().voxel_size(), &to).context(context)?
    {
        bail!("{context}: its voxels are not those of the labels");
    }
    let values = flatten(raw.read(&roi).context(context)?, cut, raw.info().channel_dims());
    let values: Vec<f64> = for_any!(AnyArray, &values, |v| v.iter().map(|&v| shade(v)).collect());
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let range = if high > low { high - low } else { 1.0 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 255 by construction"
    )]
    let shades = values.iter().map(|v| ((v - low) / range * 255.0) as u8).collect();
    let shape = raw.slices(&roi)?.shape().to_vec();
    let plane: Vec<usize> =
        (0..shape.len()).filter(|&axis| Some(axis) != cut).map(|axis| shape[axis]).collect();
    Array2::from_shape_vec((plane[0], plane[1]), shades).context("an image with channels")
}

/// A value of any type as a number to compare.
fn shade<T: Shade>(value: T) -> f64 {
    value.shade()
}

trait Shade {
    fn shade(self) -> f64;
}

macro_rules! impl_shade {
    ($($type:ty),+) => {
        $(impl Shade for $type {
            fn shade(self) -> f64 { f64::from(self) }
        })+
    };
}
impl_shade!(u8, u16, u32, i8, i16, i32, f32, f64);

impl Shade for bool {
    fn shade(self) -> f64 {
        f64::from(u8::from(self))
    }
}

#[expect(clippy::cast_precision_loss, reason = "shades of grey")]
impl Shade for u64 {
    fn shade(self) -> f64 {
        self as f64
    }
}

#[expect(clippy::cast_precision_loss, reason = "shades of grey")]
impl Shade for i64 {
    fn shade(self) -> f64 {
        self as f64
    }
}
