//! What can go wrong with a server.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use array_core::ArrayError;
use geometry::GeometryError;
use zarr_source::ZarrError;

/// The error of everything that makes a site or serves it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Nobody can be served at an address.
    #[error("cannot listen at {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// The threads of a server cannot be started.
    #[error("cannot start the server")]
    Start(#[source] io::Error),
    /// An array cannot be served as a layer.
    #[error("layer {name:?} cannot be served: {reason}")]
    Layer {
        /// The name of the layer.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A folder with the files of a client cannot be used.
    #[error("the client folder {}: {reason}", folder.display())]
    Client {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of a client, or its folder, cannot be read.
    #[error("cannot read {}", path.display())]
    ClientIo {
        /// The file or folder.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// A token cannot be used.
    #[error("the token cannot be used: {reason}")]
    Token {
        /// What is wrong with it.
        reason: String,
    },
    /// The system has no random numbers.
    #[error("the system gives no random numbers for a token")]
    Random(#[source] io::Error),
    /// The source of a layer.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// The metadata of a layer, or the encoding of its chunks.
    #[error(transparent)]
    Zarr(#[from] ZarrError),
    /// A chunk was not finished, since nobody waits for it any more.
    #[error("nobody waits for the chunk any more")]
    Abandoned,
    /// The work for a chunk ended before it was done, by a fault of ours.
    #[error("the work for a chunk ended early")]
    Lost,
}

impl From<GeometryError> for ServeError {
    fn from(error: GeometryError) -> Self {
        Self::Array(error.into())
    }
}
