//! `voxmask neuroglancer`: the link that shows written masks in a browser.

use std::io::Write;

use anstream::stdout;
use anyhow::{Context, Result, bail};
use array_core::neuroglancer::{Layer, LayerKind, link, state};
use array_core::{Array, ArrayInfo, DType};
use serde_json::{Value, json};
use zarr_source::{Location, ZarrArray, ZarrError, ZarrFormat};

use crate::args::{NeuroglancerArgs, UsageError};
use crate::shown::json_text;

/// The beginnings of addresses that Neuroglancer reads by itself.
const REACHABLE: [&str; 6] = ["http://", "https://", "s3://", "s3+http://", "s3+https://", "gs://"];

pub(crate) fn run(args: &NeuroglancerArgs) -> Result<()> {
    let location = Location::from(&args.masks);
    let url = browser_url(args)?;
    if !["http://", "https://"].iter().any(|scheme| args.client.starts_with(scheme)) {
        let message = format!("--client {:?} does not begin with http:// or https://", args.client);
        return Err(UsageError(message).into());
    }
    let raw = args.raw.as_deref().map(raw_source).transpose()?;
    let cannot = || format!("cannot show {location} as what `voxmask mask` writes");
    let mask = open(&location, "mask").with_context(cannot)?;
    let target = match open(&location, "target") {
        Ok(target) => Some(target),
        Err(ZarrError::NotFound { .. } | ZarrError::NotAZarrArray { .. }) => None,
        Err(error) => return Err(error).with_context(cannot),
    };

    let source = |array: &ZarrArray, image: &str| match array.metadata().zarr_format() {
        ZarrFormat::V2 => Ok(format!("zarr2://{url}/{image}")),
        ZarrFormat::V3 => Ok(format!("zarr3://{url}/{image}")),
        ZarrFormat::N5 => bail!(
            "Neuroglancer takes no offset from N5, so that the masks would be shown in the wrong place; \
             write them with --zarr-format 2 or 3"
        ),
    };
    let info = mask.info();
    let below = raw_info(info)?;
    let mut layers = Vec::new();
    if let Some(raw) = &raw {
        layers.push(Layer::new("raw", raw, &below, LayerKind::Image));
    }
    layers.extend(Layer::masks(&source(&mask, "mask").with_context(cannot)?, info));
    if let Some(target) = &target {
        let source = source(target, "target").with_context(cannot)?;
        layers.extend(Layer::targets(&source, target.info()));
    }
    let state = state(info, &layers).with_context(cannot)?;
    print(args, &layers, &state)
}

/// The first scale level of an image of the container.
fn open(masks: &Location, image: &str) -> Result<ZarrArray, ZarrError> {
    ZarrArray::open(masks.join(image).join("s0"))
}

/// Where the browser finds the container, without a slash at the end.
fn browser_url(args: &NeuroglancerArgs) -> Result<String, UsageError> {
    let (option, text) = match &args.url {
        Some(url) => ("--url ", url.as_str()),
        None => match args.masks.to_str().filter(|_| Location::from(&args.masks).is_url()) {
            Some(url) => ("", url),
            None => {
                return Err(UsageError(format!(
                    "a browser cannot read {}: say with --url where it is served, as in --url \
                     http://127.0.0.1:8000/{}",
                    args.masks.display(),
                    args.masks.file_name().unwrap_or_default().display(),
                )));
            }
        },
    };
    check_address(option, text)?;
    if !has_scheme(text) {
        return Err(UsageError(format!(
            "{option}{text:?} does not begin with one of {}",
            REACHABLE.join(", ")
        )));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The source of the image: a plain address is that of a Zarr image.
fn raw_source(text: &str) -> Result<String, UsageError> {
    let option = "--raw ";
    if has_scheme(text) {
        check_address(option, text)?;
        return Ok(format!("zarr://{}", text.trim_end_matches('/')));
    }
    // Such as precomputed://gs://bucket/em, or http://host/em.zarr|zarr2: in the newer spelling.
    if text.contains("://") {
        return Ok(text.to_owned());
    }
    Err(UsageError(format!(
        "{option}{text:?} is no address that a browser reads; it begins with one of {}, or names a format \
         before, as in n5://https://example.org/em.n5",
        REACHABLE.join(", ")
    )))
}

fn has_scheme(text: &str) -> bool {
    REACHABLE.iter().any(|scheme| text.starts_with(scheme))
}

/// Fails for what must not be in a link that people hand on, or what the viewer would take for something
/// else. The message does not repeat the address: it may hold secrets.
fn check_address(option: &str, text: &str) -> Result<(), UsageError> {
    let after = text.split_once("://").map_or(text, |(_, after)| after);
    let host = after.split('/').next().unwrap_or_default();
    let reason = if host.contains('@') {
        "a user name or password, which everyone with the link would see"
    } else if text.contains(['?', '#']) {
        "a query or fragment, which everyone with the link would see and which no chunk has"
    } else if text.contains('|') || text.contains(char::is_whitespace) {
        "a space or |, which have to be written as %20 and %7C"
    } else {
        return Ok(());
    };
    let address = if option.is_empty() { "the address of the masks " } else { option };
    Err(UsageError(format!("{address}has {reason}")))
}

/// What is known of the image: it lies where the masks do. The viewer reads the rest from the image.
fn raw_info(mask: &ArrayInfo) -> Result<ArrayInfo> {
    let info = ArrayInfo::new(DType::U8, mask.spatial_axes(), mask.spatial_shape(), *mask.grid())?;
    Ok(info.with_unit(mask.unit()))
}

fn print(args: &NeuroglancerArgs, layers: &[Layer<'_>], state: &Value) -> Result<()> {
    let url = link(&args.client, state);
    if args.state {
        writeln!(stdout(), "{}", json_text(state)?)?;
    } else if args.json {
        let layer = |layer: &Layer<'_>| {
            let (name, source) = (&layer.name, &layer.source);
            json!({"name": name, "source": source, "kind": layer.kind.name()})
        };
        let layers: Value = layers.iter().map(layer).collect();
        let result = json!({"neuroglancer_url": url, "layers": layers, "state": state});
        writeln!(stdout(), "{}", json_text(&result)?)?;
    } else {
        writeln!(stdout(), "{url}")?;
    }
    Ok(())
}
