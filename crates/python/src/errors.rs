//! Errors as Python exceptions.

use std::error::Error;
use std::io;

use annotation_mask::MaskError;
use array_config::{ConfigError, OpenError};
use array_core::ArrayError;
use geometry::GeometryError;
use mask_writer::WriteError;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use zarr_source::ZarrError;

/// An error as the exception of `voxmask.errors` that stands for its class; what caused it is its
/// `__cause__`, and so on.
///
/// The message goes as far down as the error that has the class: where something happened says little without
/// what it was.
pub(crate) fn exception(py: Python<'_>, error: &(dyn Error + 'static)) -> PyErr {
    if let Some(raised) = error.downcast_ref::<PyErr>() {
        return raised.clone_ref(py);
    }
    let (class, message) = classified(error);
    let raised = named(py, class, &message);
    if let Some(cause) = error.source() {
        raised.set_cause(py, Some(exception(py, cause)));
    }
    raised
}

/// An exception by its name in `voxmask.errors`.
pub(crate) fn named(py: Python<'_>, class: &str, message: &str) -> PyErr {
    let class = py.import("voxmask.errors").and_then(|module| module.getattr(class));
    match class.and_then(|class| class.call1((message,))) {
        Ok(made) => PyErr::from_value(made),
        Err(error) => error,
    }
}

/// What turns an error into an exception, for `map_err`.
pub(crate) fn raise<E: Error + 'static>(py: Python<'_>) -> impl Fn(E) -> PyErr {
    move |error| exception(py, &error)
}

/// A wrong argument.
pub(crate) fn wrong_type(message: String) -> PyErr {
    PyTypeError::new_err(message)
}

/// The name of the exception, that of the first error in the chain that says more than where it happened, and
/// what all errors down to it say.
fn classified(error: &(dyn Error + 'static)) -> (&'static str, String) {
    let mut message = error.to_string();
    let mut next = error;
    loop {
        if let Some(class) = own_class(next) {
            return (class, message);
        }
        let Some(cause) = next.source() else { return ("VoxmaskError", message) };
        message = format!("{message}: {cause}");
        next = cause;
    }
}

/// The error as one of its type, also where it lies in a box.
fn as_one<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    error.downcast_ref::<E>().or_else(|| error.downcast_ref::<Box<E>>().map(|error| &**error))
}

fn own_class(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(error) = as_one::<ArrayError>(error) {
        of_array(error)
    } else if let Some(error) = as_one::<MaskError>(error) {
        of_mask(error)
    } else if let Some(error) = as_one::<ZarrError>(error) {
        Some(of_zarr(error))
    } else if let Some(error) = as_one::<GeometryError>(error) {
        Some(of_geometry(error))
    } else if let Some(error) = as_one::<OpenError>(error) {
        of_opening(error)
    } else if let Some(error) = as_one::<ConfigError>(error) {
        of_config(error)
    } else if let Some(error) = as_one::<WriteError>(error) {
        of_writing(error)
    } else if error.is::<PyErr>() {
        Some("SourceError")
    } else {
        as_one::<io::Error>(error).map(of_io)
    }
}

fn of_array(error: &ArrayError) -> Option<&'static str> {
    Some(match error {
        ArrayError::OutOfBounds { .. } => "OutOfBoundsError",
        ArrayError::NotAligned { .. } => "NotAlignedError",
        ArrayError::DimsMismatch { .. } => "DimsMismatchError",
        ArrayError::SourceHasChannels { .. } => "SourceHasChannelsError",
        ArrayError::Virtual { .. } => "VirtualArrayError",
        ArrayError::NotWritable { .. } => "NotWritableError",
        ArrayError::TooLarge { .. } | ArrayError::OverMemoryLimit { .. } => "TooLargeError",
        ArrayError::DTypeMismatch { .. } | ArrayError::ShapeMismatch { .. } => "ArgumentError",
        ArrayError::Geometry(error) => of_geometry(error),
        ArrayError::Source { .. } => return None,
        _ => "ArgumentError",
    })
}

fn of_mask(error: &MaskError) -> Option<&'static str> {
    Some(match error {
        MaskError::LabelsMalformed { .. } => "LabelsMalformedError",
        MaskError::NoLabels => "NoLabelsError",
        MaskError::GroupMalformed { .. } | MaskError::UnknownRule { .. } => "GroupMalformedError",
        MaskError::NothingValid { .. } => "NothingQualifiesError",
        MaskError::SamplerOption { .. } | MaskError::NotMask { .. } => "ArgumentError",
        MaskError::NotLabels { .. } => "NotLabelsError",
        MaskError::Array(error) => return of_array(error),
        _ => "MetadataMalformedError",
    })
}

fn of_zarr(error: &ZarrError) -> &'static str {
    match error {
        ZarrError::NotFound { .. } => "NotFoundError",
        ZarrError::NotAZarrArray { .. } | ZarrError::NotAZarrGroup { .. } => "NotZarrError",
        ZarrError::Unsupported { .. } => "UnsupportedError",
        ZarrError::NoGeometry { .. } => "NoGeometryError",
        ZarrError::ChunkCorrupt { .. } => "ChunkCorruptError",
        ZarrError::StoreIo { .. } | ZarrError::NotListable { .. } => "StoreError",
        ZarrError::OutputExists { .. } => "OutputExistsError",
        ZarrError::NotWritable { .. } => "NotWritableError",
        ZarrError::NoSuchLevel { .. }
        | ZarrError::InvalidLevel { .. }
        | ZarrError::InvalidLocation { .. }
        | ZarrError::InvalidName { .. } => "ArgumentError",
        _ => "MetadataMalformedError",
    }
}

fn of_geometry(error: &GeometryError) -> &'static str {
    match error {
        GeometryError::DivisionByZero { .. } => "DivisionByZeroError",
        GeometryError::Overflow { .. } => "OutOfRangeError",
        GeometryError::DimsMismatch { .. } => "DimsMismatchError",
        GeometryError::NotAligned { .. } => "NotAlignedError",
        _ => "GeometryError",
    }
}

fn of_opening(error: &OpenError) -> Option<&'static str> {
    match error {
        OpenError::Zarr(error) => Some(of_zarr(error)),
        OpenError::Mask(error) => of_mask(error),
        OpenError::Array(error) => of_array(error),
        _ => None,
    }
}

fn of_config(error: &ConfigError) -> Option<&'static str> {
    match error {
        ConfigError::Malformed { .. } | ConfigError::Syntax { .. } => Some("GroupMalformedError"),
        ConfigError::UnknownFormat { .. } => Some("ArgumentError"),
        _ => None,
    }
}

fn of_writing(error: &WriteError) -> Option<&'static str> {
    match error {
        WriteError::Mask(error) => of_mask(error),
        WriteError::Zarr(error) => Some(of_zarr(error)),
        WriteError::Array(error) => of_array(error),
        WriteError::Geometry(error) => Some(of_geometry(error)),
        WriteError::Option { .. } => Some("ArgumentError"),
        WriteError::Unfinished { .. } | WriteError::NothingToResume { .. } => {
            Some("OutputExistsError")
        }
        WriteError::OtherJob { .. } | WriteError::LabelsDiffer { .. } | WriteError::Busy { .. } => {
            Some("OutputExistsError")
        }
        WriteError::LabelsChanged { .. } | WriteError::Displaced { .. } => Some("StoreError"),
        WriteError::JournalDamaged { .. } => Some("MetadataMalformedError"),
        _ => None,
    }
}

fn of_io(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "NotFoundError",
        _ => "StoreError",
    }
}
