//! The files that hold what an array reads.

use std::path::Path;

use crate::error::ArrayError;

/// A file, or an object of a server, out of which an array reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredFile<'a> {
    /// What messages call it.
    pub path: &'a Path,
    /// What is another text once the file is another, such as its size and time; none if there is no such file.
    pub version: Option<&'a str>,
}

/// What [`Array::visit_stored`](crate::Array::visit_stored) calls with each file.
pub type StoredVisitor<'a> = dyn FnMut(StoredFile<'_>) -> Result<(), ArrayError> + 'a;
