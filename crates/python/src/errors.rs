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
pub(crate) fn exception(py: Python<'_>, error: &(dyn Error + 'static)) -> PyErr {
    if let Some(raised) = error.downcast_ref::<PyErr>() {
        return raised.clone_ref(py);
    }
    let class = py.import("voxmask.errors").and_then(|module| module.getattr(class_of(error)));
    let made = class.and_then(|class| class.call1((error.to_string(),)));
    let raised = match made {
        Ok(made) => PyErr::from_value(made),
        Err(error) => return error,
    };
    if let Some(cause) = error.source() {
        raised.set_cause(py, Some(exception(py, cause)));
    }
    raised
}

/// What turns an error into an exception, for `map_err`.
pub(crate) fn raise<E: Error + 'static>(py: Python<'_>) -> impl Fn(E) -> PyErr {
    move |error| exception(py, &error)
}

/// A wrong argument.
pub(crate) fn wrong_type(message: String) -> PyErr {
    PyTypeError::new_err(message)
}

/// The name of the exception: that of the first error in the chain that says more than where it happened.
fn class_of(error: &(dyn Error + 'static)) -> &'static str {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(class) = own_class(error) {
            return class;
        }
        next = error.source();
    }
    "VoxmaskError"
}

fn own_class(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(error) = error.downcast_ref::<ArrayError>() {
        of_array(error)
    } else if let Some(error) = error.downcast_ref::<MaskError>() {
        of_mask(error)
    } else if let Some(error) = error.downcast_ref::<ZarrError>() {
        Some(of_zarr(error))
    } else if let Some(error) = error.downcast_ref::<GeometryError>() {
        Some(of_geometry(error))
    } else if let Some(error) = error.downcast_ref::<OpenError>() {
        of_opening(error)
    } else if let Some(error) = error.downcast_ref::<ConfigError>() {
        of_config(error)
    } else if let Some(error) = error.downcast_ref::<WriteError>() {
        of_writing(error)
    } else {
        error.downcast_ref::<io::Error>().map(of_io)
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
        ArrayError::TooLarge { .. } => "TooLargeError",
        ArrayError::DTypeMismatch { .. } | ArrayError::ShapeMismatch { .. } => "ArgumentError",
        ArrayError::Geometry(error) => of_geometry(error),
        ArrayError::Source { source, .. } if source.is::<PyErr>() => "SourceError",
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
        WriteError::OtherJob { .. } | WriteError::Busy { .. } => Some("OutputExistsError"),
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
