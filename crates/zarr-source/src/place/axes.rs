//! The names of axes, and which of them are channels.

use std::path::Path;

use array_core::is_channel_axis;

use super::report::GeometrySource;
use crate::error::ZarrError;

/// An axis that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) name: String,
    pub(super) is_channel: bool,
    /// Why it has no lengths, if it is said to have others.
    pub(super) no_length: Option<String>,
}

impl Axis {
    /// An axis of which nothing but the name is known.
    pub(super) fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { is_channel: is_channel_axis(&name), name, no_length: None }
    }
}

/// The axes of an array, channels first.
#[derive(Clone, Debug)]
pub(super) struct Axes {
    pub(super) names: Vec<String>,
    pub(super) channel_dims: usize,
    pub(super) source: GeometrySource,
    /// Axes that are said to have no lengths, and why.
    pub(super) no_lengths: Vec<(usize, String)>,
}

impl Axes {
    pub(super) fn dims(&self) -> usize {
        self.names.len().saturating_sub(self.channel_dims)
    }

    pub(super) fn spatial(&self) -> &[String] {
        self.names.get(self.channel_dims..).unwrap_or_default()
    }

    /// The axes of an array of `ndim` axes out of the names for all of them, or for the spatial ones.
    ///
    /// `listed` is the number of voxel sizes: names for the spatial axes beside voxel sizes for all axes
    /// contradict each other.
    pub(super) fn from_names(
        names: Vec<Axis>,
        ndim: usize,
        listed: Option<usize>,
        source: GeometrySource,
        file: &Path,
    ) -> Result<Self, ZarrError> {
        let spatial_only = names.len() < ndim && !names.iter().any(|axis| axis.is_channel);
        let contradicted = spatial_only && listed == Some(ndim);
        if contradicted || (names.len() != ndim && !spatial_only) {
            let names: Vec<&str> = names.iter().map(|axis| axis.name.as_str()).collect();
            let sizes = if contradicted {
                format!(", of which {ndim} have a voxel_size")
            } else {
                String::new()
            };
            let reason =
                format!("{source}: {names:?} do not name the {ndim} axes of the array{sizes}");
            return Err(ZarrError::malformed(file, reason));
        }
        let missing = ndim.saturating_sub(names.len());
        let mut axes: Vec<Axis> = channel_names(missing).into_iter().map(Axis::named).collect();
        axes.extend(names);
        let channel_dims = axes.iter().take_while(|axis| axis.is_channel).count();
        if let Some(channel) = axes.iter().skip(channel_dims).find(|axis| axis.is_channel) {
            let spatial = axes.get(channel_dims).map_or("", |axis| &axis.name);
            let what = format!("the channel axis {:?} behind the axis {spatial:?}", channel.name);
            return Err(ZarrError::unsupported(file, what));
        }
        if channel_dims == ndim {
            return Err(ZarrError::unsupported(file, "an array without spatial axes"));
        }
        let (mut names, mut no_lengths) = (Vec::with_capacity(ndim), Vec::new());
        for (index, axis) in axes.into_iter().enumerate() {
            no_lengths.extend(axis.no_length.map(|reason| (index, reason)));
            names.push(axis.name);
        }
        Ok(Self { names, channel_dims, source, no_lengths })
    }

    /// The usual names for an array whose metadata names no axes, but lists `listed` voxel sizes, or says
    /// in `types` which axes are channels.
    pub(super) fn usual(
        ndim: usize,
        listed: Option<usize>,
        channels: Option<&[bool]>,
        file: &Path,
    ) -> Result<Self, ZarrError> {
        let leading =
            channels.map_or(0, |types| types.iter().take_while(|channel| **channel).count());
        if channels.is_some_and(|types| types.iter().skip(leading).any(|channel| *channel)) {
            return Err(ZarrError::unsupported(
                file,
                "a channel axis (in types) behind a spatial one",
            ));
        }
        if leading == ndim {
            return Err(ZarrError::unsupported(file, "an array without spatial axes"));
        }
        let dims = match listed {
            _ if leading > 0 => ndim.saturating_sub(leading),
            Some(listed) if listed < ndim => listed,
            _ => ndim.min(3),
        };
        let channel_dims = ndim.saturating_sub(dims);
        let mut names = channel_names(channel_dims);
        names.extend(match dims {
            0..=3 => ["z", "y", "x"]
                .iter()
                .skip(3_usize.saturating_sub(dims))
                .map(|&n| n.to_owned())
                .collect(),
            _ => (0..dims).map(|axis| format!("d{axis}")).collect::<Vec<_>>(),
        });
        let source = GeometrySource::Default;
        Ok(Self { names, channel_dims, source, no_lengths: Vec::new() })
    }
}

/// Names for channel axes that have none.
fn channel_names(count: usize) -> Vec<String> {
    if count == 1 {
        vec!["c".to_owned()]
    } else {
        (0..count).map(|axis| format!("c{axis}^")).collect()
    }
}
