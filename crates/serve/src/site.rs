//! What is served, and how each request is answered.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use array_core::{BlockCache, concurrent};
use hyper::{Method, Response, StatusCode};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use zarr_source::ZarrFormat;

use crate::body::Body;
use crate::cache::{ChunkCache, PlaceKey};
use crate::chunk::Chunks;
use crate::client::Client;
use crate::document::Document;
use crate::error::ServeError;
use crate::key::{Key, KeyError};
use crate::layer::{Layer, ServedLayer};
use crate::page::page;
use crate::respond::{Asked, METHODS};
use crate::token::Token;

/// How a site is served.
#[derive(Debug)]
pub struct SiteOptions {
    /// What the page about the site is called.
    pub title: String,
    /// The link of that page to a viewer with all layers.
    pub link: Option<String>,
    /// The client that is served beside the layers.
    pub client: Option<Client>,
    /// What all paths begin with, so that others find nothing.
    pub token: Option<Token>,
    /// The size in bytes that computed chunks may have together.
    pub max_bytes: u64,
    /// How many chunks are computed at the same time; the others wait. Fewer where these take more than half of
    /// the [`memory limit`](array_core::memory_limit).
    pub threads: usize,
}

impl Default for SiteOptions {
    /// A cache of 256 MiB, and a thread for each core.
    fn default() -> Self {
        Self {
            title: "voxmask".to_owned(),
            link: None,
            client: None,
            token: None,
            max_bytes: 256 << 20,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// Layers, and what answers requests for them.
pub struct Site {
    layers: Vec<ServedLayer>,
    /// The documents of the groups of all layers, by format and key.
    roots: Vec<(ZarrFormat, &'static str, Document)>,
    page: Document,
    client: Option<Client>,
    token: Option<Token>,
    cache: ChunkCache,
    permits: Arc<Semaphore>,
}

impl Site {
    /// The site with these layers. Where chunks are no whole blocks of an array, its blocks are kept in `blocks`.
    ///
    /// # Errors
    ///
    /// [`ServeError::Layer`] if a layer cannot be served, one of its chunks takes more than the memory limit, or
    /// two have one name; [`ServeError::Zarr`] if its geometry cannot be written down.
    pub fn new(
        layers: Vec<Layer>,
        blocks: &Arc<BlockCache>,
        options: SiteOptions,
    ) -> Result<Self, ServeError> {
        let mut served: Vec<ServedLayer> = Vec::new();
        for layer in layers {
            if served.iter().any(|other| other.name == layer.name()) {
                let (name, reason) = (layer.name().to_owned(), "its name stands twice".to_owned());
                return Err(ServeError::Layer { name, reason });
            }
            served.push(ServedLayer::new(layer, blocks)?);
        }
        let mut bytes = 0;
        for layer in &served {
            for level in &layer.levels {
                bytes = bytes.max(level.bytes_at_once().map_err(|error| {
                    let (name, reason) = (layer.name.clone(), error.to_string());
                    ServeError::Layer { name, reason }
                })?);
            }
        }
        let threads = options.threads.min(concurrent(bytes)).clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self {
            roots: roots(&served),
            page: page(&options.title, options.link.as_deref(), options.token.as_ref(), &served),
            layers: served,
            client: options.client,
            token: options.token,
            cache: ChunkCache::new(options.max_bytes),
            permits: Arc::new(Semaphore::new(threads)),
        })
    }

    /// What the site has done so far.
    #[must_use]
    pub fn stats(&self) -> SiteStats {
        SiteStats { computed: self.cache.computed(), cached_bytes: self.cache.bytes() }
    }

    /// What a path asks for, without the token; none if that is missing or wrong.
    pub(crate) fn inside<'a>(&self, path: &'a str) -> Option<&'a str> {
        match &self.token {
            None => Some(path),
            Some(token) => token.behind(path),
        }
    }

    /// Answers a request for a path, which has no token any more; streams of events last until `end`.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        path: &str,
        asked: Asked<'_>,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Response<Body> {
        if asked.method == Method::OPTIONS {
            return asked.preflight();
        }
        if !asked.is_known() {
            let mut response = asked.text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD");
            let allowed = hyper::header::HeaderValue::from_static(METHODS);
            response.headers_mut().insert(hyper::header::ALLOW, allowed);
            return response;
        }
        let not_found = || asked.not_found();
        let document = match Key::parse(path) {
            Err(KeyError::Malformed) => {
                return asked.text(StatusCode::BAD_REQUEST, "malformed path");
            }
            Err(KeyError::Unknown) => None,
            Ok(Key::Health) => return asked.text(StatusCode::OK, "ok"),
            Ok(Key::Events) => return asked.events(Body::events(end)),
            Ok(Key::Page) => Some(&self.page),
            Ok(Key::Client { file }) => self.client.as_ref().and_then(|client| client.file(file)),
            Ok(Key::Document { format, layer: None, document }) => {
                let root = |(other, name, _): &&(ZarrFormat, &str, Document)| {
                    *other == format && *name == document
                };
                self.roots.iter().find(root).map(|(_, _, document)| document)
            }
            Ok(Key::Document { format, layer: Some(layer), document }) => {
                self.layer(layer).and_then(|(_, layer)| layer.document(format, document))
            }
            Ok(Key::Chunk { format: _, layer, level, index }) => {
                return self.chunk(layer, level, &index, asked).await;
            }
        };
        document.map_or_else(not_found, |document| asked.document(document))
    }

    fn layer(&self, name: &str) -> Option<(usize, &ServedLayer)> {
        self.layers.iter().enumerate().find(|(_, layer)| layer.name == name)
    }

    async fn chunk(
        self: &Arc<Self>,
        layer: &str,
        level: usize,
        index: &[usize],
        asked: Asked<'_>,
    ) -> Response<Body> {
        let not_found = || asked.not_found();
        let Some((number, found)) = self.layer(layer) else { return not_found() };
        let Some(place) = found.place(level, index) else { return not_found() };
        let key = PlaceKey { layer: number, level, block: place.number };
        let computed =
            self.cache.get_or_compute(key, || self.compute(number, level, place.block.clone()));
        match computed.await {
            Ok(chunks) => match chunks.channel(place.channel) {
                Some(chunk) => asked.chunk(chunk),
                None => not_found(),
            },
            Err(error) => {
                tracing::error!("{layer}, level {level}, chunk {index:?}: {}", Chain(&*error));
                // What an error says may name paths of this machine.
                let line = "the source cannot be read here; the log of the server says why";
                asked.text(StatusCode::INTERNAL_SERVER_ERROR, line)
            }
        }
    }

    /// Computes the chunks of a place as soon as a thread is free. Whoever drops this ends the work.
    async fn compute(
        self: &Arc<Self>,
        layer: usize,
        level: usize,
        block: Vec<usize>,
    ) -> Result<Chunks, ServeError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| ServeError::Lost)?;
        let stop = StopOnDrop::default();
        let (flag, site) = (Arc::clone(&stop.0), Arc::clone(self));
        let work = tokio::task::spawn_blocking(move || {
            // Until the work has ended, also where nobody waits for it.
            let _permit = permit;
            site.layers[layer].compute(level, &block, &flag)
        });
        work.await.map_err(|_| ServeError::Lost)?
    }
}

/// Tells the work that nobody waits for it any more.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a site has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SiteStats {
    /// How many places were computed, each with all its channels.
    pub computed: u64,
    /// The size in bytes of the chunks that are kept.
    pub cached_bytes: u64,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.layers.iter().map(|layer| layer.name.as_str()).collect();
        f.debug_struct("Site").field("layers", &names).finish_non_exhaustive()
    }
}

/// An error and its causes.
struct Chain<'a>(&'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// The documents of the groups of all layers, which list all that is below them.
fn roots(layers: &[ServedLayer]) -> Vec<(ZarrFormat, &'static str, Document)> {
    let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
    let attributes = json!({"layers": names});
    let group = json!({"zarr_format": 2});
    let mut v2 = Map::from_iter([
        (".zgroup".to_owned(), group.clone()),
        (".zattrs".to_owned(), attributes.clone()),
    ]);
    let mut v3 = Map::new();
    for layer in layers {
        let parsed = |format| {
            layer.image.documents(format).iter().filter_map(|(key, text)| {
                Some((key.as_str(), serde_json::from_slice::<Value>(text).ok()?))
            })
        };
        for (key, document) in parsed(ZarrFormat::V2) {
            v2.insert(format!("{}/{key}", layer.name), document);
        }
        for (key, document) in parsed(ZarrFormat::V3) {
            let inside = key.strip_suffix("zarr.json").unwrap_or(key);
            let node = format!("{}/{inside}", layer.name);
            v3.insert(node.trim_end_matches('/').to_owned(), document);
        }
    }
    let consolidated = json!({"kind": "inline", "must_understand": false, "metadata": v3});
    let document = json!({
        "zarr_format": 3,
        "node_type": "group",
        "attributes": attributes,
        "consolidated_metadata": consolidated,
    });
    let all = json!({"zarr_consolidated_format": 1, "metadata": v2});
    vec![
        (ZarrFormat::V2, ".zgroup", Document::json(&group)),
        (ZarrFormat::V2, ".zattrs", Document::json(&attributes)),
        (ZarrFormat::V2, ".zmetadata", Document::json(&all)),
        (ZarrFormat::V3, "zarr.json", Document::json(&document)),
    ]
}
