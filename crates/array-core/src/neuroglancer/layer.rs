//! One array in the view.

use serde_json::{Value, json};

use crate::error::ArrayError;
use crate::info::ArrayInfo;
use crate::neuroglancer::check::refuse;
use crate::neuroglancer::{check, dimensions, shader};

/// What a layer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayerKind {
    /// Grey values, such as electron microscopy.
    Image,
    /// Labels: each value has its own colour, 0 has none.
    Segmentation,
    /// One channel of a mask: what is known is tinted, what is unknown is dark.
    Mask {
        /// The index of the channel.
        channel: usize,
    },
    /// One channel of a target: what is of the channel has the channel's colour.
    Target {
        /// The index of the channel.
        channel: usize,
    },
}

impl LayerKind {
    /// The name for programs: `image`, `segmentation`, `mask` or `target`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Segmentation => "segmentation",
            Self::Mask { .. } => "mask",
            Self::Target { .. } => "target",
        }
    }
}

/// An array and where its voxels are served.
#[derive(Clone, Debug)]
pub struct Layer<'a> {
    /// The name that the viewer shows.
    pub name: String,
    /// Where the voxels are, as Neuroglancer spells it: `zarr2://http://127.0.0.1:9000/mask`.
    pub source: String,
    /// What the array is.
    pub info: &'a ArrayInfo,
    /// What the layer shows.
    pub kind: LayerKind,
    /// Whether the layer is shown at first.
    pub visible: bool,
}

impl<'a> Layer<'a> {
    /// A visible layer.
    #[must_use]
    pub fn new(name: &str, source: &str, info: &'a ArrayInfo, kind: LayerKind) -> Self {
        Self { name: name.to_owned(), source: source.to_owned(), info, kind, visible: true }
    }

    /// A layer for any array, named by the last part of `source`.
    ///
    /// Integers with the attribute `labels`, or of 32 bits or more, are labels; everything else is an
    /// image.
    #[must_use]
    pub fn of(source: &str, info: &'a ArrayInfo) -> Self {
        let is_labels = info.num_channels().is_none()
            && info.dtype().is_integer()
            && (info.attrs().contains_key("labels") || info.dtype().size() >= 4);
        let kind = if is_labels { LayerKind::Segmentation } else { LayerKind::Image };
        let last = source.trim_end_matches('/').rsplit('/').next();
        let name = last.filter(|name| !name.is_empty()).unwrap_or("array");
        Self::new(name, source, info, kind)
    }

    /// A layer for each channel of a mask, named after it, of which the first is visible.
    #[must_use]
    pub fn masks(source: &str, info: &'a ArrayInfo) -> Vec<Self> {
        channel_layers("mask", source, info, |channel| LayerKind::Mask { channel })
    }

    /// A layer for each channel of a target, named after it, of which the first is visible.
    #[must_use]
    pub fn targets(source: &str, info: &'a ArrayInfo) -> Vec<Self> {
        channel_layers("target", source, info, |channel| LayerKind::Target { channel })
    }

    /// The layer as it stands in the `layers` of a state.
    ///
    /// # Errors
    ///
    /// [`ArrayError::NotShowable`] if Neuroglancer has no such axes or elements, or the array no such
    /// channel.
    pub fn to_json(&self) -> Result<Value, ArrayError> {
        check(self.info)?;
        let mut layer = json!({ "type": "image", "name": self.name, "source": self.source });
        match self.kind {
            LayerKind::Image => {
                layer["opacity"] = json!(1);
                layer["blend"] = json!("default");
                self.pick_channel(&mut layer, 0)?;
            }
            LayerKind::Segmentation => {
                if !self.info.dtype().is_integer() {
                    let dtype = self.info.dtype();
                    return Err(refuse(format!("its labels are integers, not {dtype}")));
                }
                layer["type"] = json!("segmentation");
                layer["selectedAlpha"] = json!(0.4);
                self.pick_channel(&mut layer, 0)?;
            }
            LayerKind::Mask { channel } => {
                layer["opacity"] = json!(1);
                layer["blend"] = json!("default");
                layer["shader"] = json!(shader::mask());
                self.pick_channel(&mut layer, channel)?;
            }
            LayerKind::Target { channel } => {
                layer["opacity"] = json!(1);
                layer["blend"] = json!("default");
                layer["shader"] = json!(shader::target(channel));
                self.pick_channel(&mut layer, channel)?;
            }
        }
        layer["visible"] = json!(self.visible);
        Ok(layer)
    }

    /// Says which channel is shown, if there are any.
    fn pick_channel(&self, layer: &mut Value, channel: usize) -> Result<(), ArrayError> {
        if self.info.channel_dims() == 0 && channel == 0 {
            return Ok(());
        }
        layer["localPosition"] = json!(dimensions::channel_position(self.info, channel)?);
        layer["localDimensions"] = json!(dimensions::local(self.info));
        Ok(())
    }
}

fn channel_layers<'a>(
    what: &str,
    source: &str,
    info: &'a ArrayInfo,
    kind: impl Fn(usize) -> LayerKind,
) -> Vec<Layer<'a>> {
    let channels = info.num_channels().unwrap_or(1);
    (0..channels)
        .map(|channel| {
            let name = match info.channel_names().and_then(|names| names.get(channel)) {
                Some(name) => format!("{what} {name}"),
                None if channels == 1 => what.to_owned(),
                None => format!("{what} {channel}"),
            };
            let layer = Layer::new(&name, source, info, kind(channel));
            Layer { visible: channel == 0, ..layer }
        })
        .collect()
}
