//! The link that shows all layers in Neuroglancer.

use anyhow::Result;
use array_core::ArrayInfo;
use array_core::neuroglancer::{self, HOSTED_CLIENT, LayerKind};
use serve::Layer;

/// Where the client is, if this server has it: each viewer has a token, and one is enough.
const OWN_CLIENT: &str = "v/1/";

/// Where Neuroglancer reads a layer of the server at `url`, which has a slash behind it.
pub(crate) fn source(url: &str, name: &str) -> String {
    format!("zarr3://{url}zarr3/{name}")
}

/// What a layer is, for programs.
pub(crate) fn kind(name: &str) -> &'static str {
    let kind = match name {
        "labels" => LayerKind::Segmentation,
        "mask" => LayerKind::Mask { channel: 0 },
        "target" => LayerKind::Target { channel: 0 },
        _ => LayerKind::Image,
    };
    kind.name()
}

/// The link that opens all layers of the server at `url`, in its own client or in the hosted one. The first
/// channel is visible, the others can be switched on. What Neuroglancer cannot show is left out, with a warning.
///
/// # Errors
///
/// If Neuroglancer cannot show masks like these at all.
pub(crate) fn link(
    layers: &[Layer],
    mask: &ArrayInfo,
    url: &str,
    has_client: bool,
) -> Result<String> {
    let infos: Vec<(&str, ArrayInfo)> =
        layers.iter().filter_map(|layer| Some((layer.name(), layer.info()?))).collect();
    let mut shown = Vec::new();
    for (name, info) in &infos {
        let source = source(url, name);
        let one = |kind| vec![neuroglancer::Layer::new(name, &source, info, kind)];
        let all = match *name {
            "labels" => one(LayerKind::Segmentation),
            "mask" => neuroglancer::Layer::masks(&source, info),
            "target" => neuroglancer::Layer::targets(&source, info),
            _ => one(LayerKind::Image),
        };
        match all.first().map(neuroglancer::Layer::to_json) {
            Some(Err(error)) => tracing::warn!("{name} is served but not in the link: {error}"),
            _ => shown.extend(all),
        }
    }
    let state = neuroglancer::state(mask, &shown)?;
    let client = if has_client { format!("{url}{OWN_CLIENT}") } else { HOSTED_CLIENT.to_owned() };
    Ok(neuroglancer::link(&client, &state))
}
