//! Arrays served to viewers over HTTP, computed when somebody asks for them.
//!
//! A [`Site`] shows each [`Layer`] as a group of Zarr, version 3 with OME-NGFF 0.5 below `/zarr3/<layer>` and
//! version 2 with OME-NGFF 0.4 below `/zarr2/<layer>`, with the scale levels `s0`, `s1` and so on in it. Nothing is
//! stored: the documents are made once, and a chunk when it is asked for. A [`Server`] answers the requests of
//! any number of clients.
//!
//! # Paths
//!
//! | path | what is there |
//! |---|---|
//! | `/` | a page about the layers |
//! | `/healthz` | `ok` |
//! | `/zarr3/zarr.json`, `/zarr2/.zgroup`, `.zattrs`, `.zmetadata` | the group of all layers, consolidated |
//! | `/zarr3/<layer>/…`, `/zarr2/<layer>/…` | a layer |
//! | `/v/<token>/…` | the files of the [`Client`], if there is one |
//! | `/events/<token>` | a stream of events that stays open, which the client expects |
//!
//! A path is a [`Key`], never the path of a file: what it names is looked up among layers, documents, places of
//! chunks, and files that were read at the start. What no client asks for is 400, what is not there 404. If there is a
//! [`Token`], all paths begin with it, and others are 404, whatever they ask for.
//!
//! # Chunks
//!
//! Chunks hold one channel and whole blocks of the array. All channels of a place are computed together, in one
//! visit of the blocks, and kept as encoded chunks: one entry of a cache with a limit in bytes. A chunk of zeros is not
//! stored, so it is 404; where a source says so by itself, as for a chunk that it does not store, nothing is
//! decoded for that. As many places are computed at a time as there are threads; of all who ask for one, one computes
//! it. If that client goes away, the work ends behind the block that it is at, and the next who waits begins it
//! anew.
//!
//! # HTTP
//!
//! GET, HEAD and the preflight of browsers, from any origin; `ETag` and `If-None-Match`, one range of bytes, gzip for
//! text. Chunks are compressed by their codec only. Requests have no bodies.
//!
//! The head of a request has a limit in size and in time, reading an answer has one in time, and connections have one
//! in number ([`ServerOptions`]). Who lets the server wait for longest makes room for who comes.

mod body;
mod cache;
mod callers;
mod chunk;
mod client;
mod compute;
mod connection;
mod document;
mod error;
mod etag;
mod key;
mod layer;
mod open_files;
mod page;
mod patient;
mod respond;
mod sending;
mod server;
mod site;
mod token;

pub use client::Client;
pub use error::ServeError;
pub use key::{Key, KeyError};
pub use layer::Layer;
pub use server::{Server, ServerOptions, Shutdown};
pub use site::{Site, SiteOptions, SiteStats};
pub use token::Token;
