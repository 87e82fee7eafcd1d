//! What can go wrong between labels and masks.

use array_core::{ArrayError, DType};

/// The error of everything in this crate that is not a read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaskError {
    /// The `labels` attribute does not say what it should.
    #[error("`labels`{}: {reason}", place(*.position, .field))]
    LabelsMalformed {
        /// The index of the entry in the list, if one entry is at fault.
        position: Option<usize>,
        /// The field at fault, such as `annotationState.present`; empty for the whole entry.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The array has no `labels` attribute, and the caller demands one.
    #[error(
        "the labels have no `labels` attribute, so it is not known what was annotated; without \
         `require_labels` every labelled voxel would be trusted"
    )]
    NoLabels,
    /// A group, or the list of groups, does not say what it should.
    #[error("{place}: {reason}")]
    GroupMalformed {
        /// Which group, or where in the text.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A class table does not say what it should.
    #[error("class table{}: {reason}", line_and_column(*.line, .column.as_deref()))]
    ClassTableMalformed {
        /// The line of the text, from 1, if one line is at fault.
        line: Option<u64>,
        /// The column at fault, if one is.
        column: Option<String>,
        /// What is wrong with it.
        reason: String,
    },
    /// The attributes of a class array, or of its group, do not say what they should.
    #[error("class {class:?}: `{field}` of the {of}: {reason}")]
    AnnotationMalformed {
        /// The class.
        class: String,
        /// Whose attributes: those of the `array`, or of its `group`.
        of: &'static str,
        /// The attribute at fault, with the path inside it.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing says what the values of a class array mean.
    #[error(
        "class {class:?} has no encoding: looked for `cellmap.annotation.annotation_type` and \
         `encoding` among the attributes of the array, then of its group"
    )]
    NoEncoding {
        /// The class.
        class: String,
    },
    /// The arrays of a crop group cannot be read together.
    #[error("crop {crop:?}: {reason}")]
    CropMalformed {
        /// The name of the crop.
        crop: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two class arrays of a crop group do not cover the same voxels.
    #[error(
        "crop {crop:?}: the classes {:?} and {:?} differ in their {what}: {} and {}",
        .classes[0], .classes[1], .values[0], .values[1]
    )]
    ClassesDiffer {
        /// The name of the crop.
        crop: String,
        /// The two classes.
        classes: Box<[String; 2]>,
        /// What differs, such as the shape.
        what: &'static str,
        /// What each has.
        values: Box<[String; 2]>,
    },
    /// No rule has this name.
    #[error("unknown rule {name:?}, expected strict, generic or cnnectome")]
    UnknownRule {
        /// The name.
        name: String,
    },
    /// The elements of the source cannot be labels.
    #[error("elements of type {dtype} cannot be labels; labels are integers or bool")]
    NotLabels {
        /// The element type of the source.
        dtype: DType,
    },
    /// The array is no mask.
    #[error("the array is no mask: {reason}")]
    NotMask {
        /// What it has in place of what a mask has.
        reason: String,
    },
    /// An option of a sampler means nothing for the mask.
    #[error("option `{option}` of the sampler: {reason}")]
    SamplerOption {
        /// The option, by the name of its field.
        option: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no patch in which enough is known.
    #[error(
        "no patch of shape {shape:?} has a known share of at least {min_known}: at most {most} of its \
         {values} values are known, a share of {}", share(*.most, *.values)
    )]
    NothingValid {
        /// The extent of a patch along each axis, in voxels.
        shape: Vec<usize>,
        /// The share that was asked for.
        min_known: f64,
        /// No patch has more known values than these.
        most: u64,
        /// All values of a patch: voxels and channels.
        values: u64,
    },
    /// The source cannot be wrapped.
    #[error(transparent)]
    Array(#[from] ArrayError),
}

fn place(position: Option<usize>, field: &str) -> String {
    let entry = position.map(|index| format!("[{index}]")).unwrap_or_default();
    if field.is_empty() { entry } else { format!("{entry}.{field}") }
}

fn line_and_column(line: Option<u64>, column: Option<&str>) -> String {
    match (line, column) {
        (None, _) => String::new(),
        (Some(line), None) => format!(", line {line}"),
        (Some(line), Some(column)) => format!(", line {line}, column {column}"),
    }
}

/// A share for people to read: rounded down, so that it never looks like one that would do.
fn share(part: u64, whole: u64) -> String {
    let millionths = u128::from(part) * 1_000_000 / u128::from(whole.max(1));
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}
