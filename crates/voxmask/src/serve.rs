//! `voxmask serve`: raw, labels, masks and targets in a viewer, computed while somebody looks.

mod address;
mod link;

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use annotation_mask::CropMaskAndTarget;
use anstream::stdout;
use anyhow::{Context, Result};
use array_core::{Array, BlockCache, CachedArray, memory_limit};
use comfy_table::Row;
use serde_json::{Map, Value, json};
use serve::{Client, Layer, Server, ServerOptions, Shutdown, Site, SiteOptions, Token};
use zarr_source::{Location, OpenOptions, ZarrNode};

use crate::args::{ServeArgs, UsageError};
use crate::serve::address::Addresses;
use crate::serve::link::link;
use crate::source;
use crate::table;
use crate::truth::Truth;

pub(crate) fn run(args: &ServeArgs) -> Result<()> {
    let cache = cache_bytes(args.cache)?;
    let table = source::class_table(&args.source.opening)?;
    let client = args.client.as_deref().map(Client::open).transpose()?;
    let source = source::open(&args.source)?;
    let name = Location::from(&args.source.source).to_string();
    let truth = Truth::new(source, &args.channels, None, table.as_ref())
        .with_context(|| format!("cannot make a mask of {name}"))?;
    // Half for what goes in, half for what comes out.
    let blocks = Arc::new(BlockCache::new(cache / 2));
    let mut layers = Vec::new();
    if let Some(raw) = &args.raw {
        layers.push(raw_layer(raw, args)?);
    }
    layers.extend(truth_layers(&truth, &blocks)?);

    let token = match &args.token {
        None => None,
        Some(Some(token)) => Some(token.clone()),
        Some(None) => Some(Token::random()?),
    };
    let address = SocketAddr::new(args.bind, args.port);
    let server = Server::bind(address, ServerOptions::default())?;
    let addresses = Addresses::new(server.address(), token.as_ref());
    if !args.bind.is_loopback() {
        warn_of_others(server.address().port(), token.is_some(), client.is_some());
    }
    let has_client = client.is_some();
    let link_at = |url: &str| link(&layers, truth.pair().info(), url, has_client);
    let url = addresses.widest().to_owned();
    let neuroglancer = match link_at(&url) {
        Ok(link) => Some(link),
        Err(error) => {
            tracing::warn!("Neuroglancer cannot show this: {error}");
            None
        }
    };
    // The hosted client may read from this address of this machine, and from no other.
    let opened = match args.open && addresses.own != url {
        true => neuroglancer.as_ref().and_then(|_| link_at(&addresses.own).ok()),
        false => neuroglancer.clone(),
    };
    let rows: Vec<Row> = layers.iter().map(|layer| row(layer, &url)).collect();
    let told = told(&layers, &url, neuroglancer.as_deref());
    let options = SiteOptions {
        title: name.clone(),
        link: neuroglancer.clone(),
        client,
        token,
        max_bytes: cache / 2,
        threads: source::threads(args.raw.iter().chain([&args.source.source])),
    };
    let site = Arc::new(Site::new(layers, &blocks, options)?);
    // Before anybody is told that there is something to end.
    let shutdown = end_by_interrupt()?;
    if args.json {
        let mut out = stdout();
        writeln!(out, "{told}")?;
        out.flush()?;
    } else {
        print(&name, &addresses, neuroglancer.as_deref(), rows)?;
    }
    if let (true, Some(link)) = (args.open, &opened) {
        open_browser(link);
    }
    server.run(&site, &shutdown)?;
    let stats = site.stats();
    tracing::info!("computed {} places, kept {} bytes", stats.computed, stats.cached_bytes);
    Ok(())
}

/// What the caches may take.
fn cache_bytes(asked: Option<u64>) -> Result<u64> {
    let limit = memory_limit();
    match asked {
        None => Ok((512 << 20).min(limit / 4)),
        Some(bytes) if bytes <= limit / 2 => Ok(bytes),
        Some(bytes) => Err(UsageError(format!(
            "--cache {bytes} is more than half of the memory limit of {limit} bytes (--memory)"
        ))
        .into()),
    }
}

/// The image below the labels.
fn raw_layer(path: &Path, args: &ServeArgs) -> Result<Layer> {
    let location = Location::from(path);
    let context = || format!("cannot open {location}");
    let store = source::options(&args.source.opening)?.store;
    let options = OpenOptions { store, ..OpenOptions::default() };
    let opened = ZarrNode::open_with(location.clone(), &options).with_context(context)?;
    let group = match opened {
        ZarrNode::Array(array) => return Ok(Layer::new("raw", Arc::new(*array))),
        ZarrNode::Group(group) => group,
    };
    let mut levels: Vec<Arc<dyn Array>> = Vec::new();
    for level in group.levels().with_context(context)? {
        levels.push(Arc::new(group.open_array(&level.path, &options).with_context(context)?));
    }
    if levels.is_empty() {
        // Which says what is there instead.
        levels.push(Arc::new(group.open_array("", &options).with_context(context)?));
    }
    let first = levels.remove(0);
    Ok(Layer::new("raw", first).with_levels(levels))
}

/// Labels, mask and target. What mask and target read of the labels is kept in `blocks`.
fn truth_layers(truth: &Truth, blocks: &Arc<BlockCache>) -> Result<Vec<Layer>> {
    let kept: Value = truth.pair().channels().iter().map(|channel| json!(channel.kept)).collect();
    let attrs = Map::from_iter([("kept".to_owned(), kept)]);
    let mut layers = Vec::new();
    let (mask, target): (Arc<dyn Array>, Arc<dyn Array>) = match truth {
        Truth::Labels { pair, .. } => {
            let labels = Arc::clone(pair.mask().source());
            let listed = labels.info().attrs().get("labels").cloned();
            let attrs = listed.map(|listed| ("labels".to_owned(), listed)).into_iter().collect();
            let labels: Arc<dyn Array> = match labels.is_virtual() {
                true => Arc::new(CachedArray::new(labels, blocks)),
                false => labels,
            };
            layers.push(Layer::new("labels", labels).with_attrs(attrs));
            let (mask, target) = pair.with_cache(blocks)?.into_arrays();
            (Arc::new(mask), Arc::new(target))
        }
        Truth::Crop { pair, groups } => {
            let crop = pair.crop().clone().with_cache(blocks)?;
            let (mask, target) = CropMaskAndTarget::new(Arc::new(crop), groups)?.into_arrays();
            (Arc::new(mask), Arc::new(target))
        }
    };
    layers.push(Layer::new("mask", mask).with_attrs(attrs.clone()));
    layers.push(Layer::new("target", target).with_attrs(attrs));
    Ok(layers)
}

/// Says who can look, and what helps against it.
fn warn_of_others(port: u16, has_token: bool, has_client: bool) {
    if has_token {
        tracing::warn!(
            "whoever has the link and reaches this machine at port {port} can read the layers, and whoever listens \
             on the way can read the link: http:// is not encrypted"
        );
    } else {
        tracing::warn!(
            "whoever reaches this machine at port {port} can read the layers; there is no password: with --token, \
             only those can who have the link"
        );
    }
    if !has_client {
        tracing::warn!(
            "browsers of other machines do not let the viewer on the internet read from here: give one with --client"
        );
    }
}

/// All of it for programs.
fn told(layers: &[Layer], url: &str, neuroglancer: Option<&str>) -> Value {
    let layer = |layer: &Layer| {
        json!({
            "name": layer.name(),
            "source": link::source(url, layer.name()),
            "kind": link::kind(layer.name()),
        })
    };
    let layers: Value = layers.iter().map(layer).collect();
    json!({"url": url, "neuroglancer_url": neuroglancer, "layers": layers})
}

/// The line of a table about a layer.
fn row(layer: &Layer, url: &str) -> Row {
    let info = layer.info();
    let axes = info.iter().flat_map(|info| info.axes().iter().zip(info.shape()));
    let shape: Vec<String> = axes.map(|(name, extent)| format!("{name} {extent}")).collect();
    Row::from(vec![
        layer.name().to_owned(),
        shape.join(", "),
        layer.levels().len().to_string(),
        format!("{url}zarr3/{}", layer.name()),
    ])
}

fn print(
    name: &str,
    addresses: &Addresses,
    neuroglancer: Option<&str>,
    rows: Vec<Row>,
) -> Result<()> {
    let mut out = stdout();
    writeln!(out, "{name}, computed while you look; nothing is written\n")?;
    let mut layers = table::table(&["layer", "shape", "levels", "address"], &[2]);
    for row in rows {
        layers.add_row(row);
    }
    table::print(&layers)?;
    if let Some(neuroglancer) = neuroglancer {
        writeln!(out, "\nOpen in Neuroglancer:\n{neuroglancer}")?;
    }
    if addresses.others.as_ref().is_some_and(|others| *others != addresses.own) {
        writeln!(out, "\nOn this machine, all of it is at {} as well.", addresses.own)?;
    }
    writeln!(out, "\n{} lists the layers. Ctrl-C ends the server.", addresses.widest())?;
    Ok(out.flush()?)
}

/// The end of the server, which Ctrl-C begins; a second one ends the program at once.
fn end_by_interrupt() -> Result<Shutdown> {
    const INTERRUPTED: i32 = 130;
    let shutdown = Shutdown::default();
    let (end, again) = (shutdown.clone(), AtomicBool::new(false));
    ctrlc::set_handler(move || {
        if again.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        end.begin();
    })
    .context("listening for Ctrl-C")?;
    Ok(shutdown)
}

/// Opens a link; where that fails, the user has read it already.
fn open_browser(link: &str) {
    if let Err(error) = open::that_detached(link) {
        tracing::warn!("cannot open the browser: {error}");
    }
}
