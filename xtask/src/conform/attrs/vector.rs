//! One recorded set of attributes.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::python;

/// The attributes around an array, and what was answered.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::conform) struct Vector {
    #[serde(default)]
    pub(super) id: String,
    pub(super) shape: Vec<usize>,
    pub(super) order: String,
    pub(super) dataset: String,
    pub(super) attrs: Map<String, Value>,
    pub(super) parent_attrs: Option<Map<String, Value>>,
    pub(super) root_attrs: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) old: Value,
    #[serde(default)]
    pub(super) new: Value,
}

impl Vector {
    /// What lies around an array, of which the answers are elsewhere.
    pub(in crate::conform) fn around(
        shape: Vec<usize>,
        order: &str,
        dataset: &str,
        attrs: Map<String, Value>,
        parent_attrs: Option<Map<String, Value>>,
        root_attrs: Option<Map<String, Value>>,
    ) -> Self {
        let (order, dataset) = (order.to_owned(), dataset.to_owned());
        let (old, new) = (Value::Null, Value::Null);
        Self { id: String::new(), shape, order, dataset, attrs, parent_attrs, root_attrs, old, new }
    }
}

/// A recorded answer in numbers without limits.
#[derive(Clone, Debug)]
pub(in crate::conform) struct Recorded {
    pub(super) voxel_size: Vec<i128>,
    pub(super) offset: Vec<i128>,
    pub(super) shape: Option<Vec<i128>>,
    pub(super) dims: Option<usize>,
    pub(super) axes: Value,
    /// Units, or whether a mask can be made.
    pub(super) extra: Option<Value>,
}

impl Recorded {
    /// A voxel size and a region; the axes are recorded elsewhere.
    pub(in crate::conform) fn of_region(voxel_size: &[i64], offset: &[i64], shape: &[i64]) -> Self {
        let wide = |values: &[i64]| values.iter().copied().map(i128::from).collect();
        Self {
            voxel_size: wide(voxel_size),
            offset: wide(offset),
            shape: Some(wide(shape)),
            dims: None,
            axes: Value::Null,
            extra: None,
        }
    }

    /// The answer, or the class of the error; none if it has neither form.
    pub(super) fn parse(answer: &Value) -> Option<Result<Self, String>> {
        if let Some(class) = answer.get("error") {
            let alone = answer.as_object().is_some_and(|fields| fields.len() == 1);
            return class.as_str().filter(|_| alone).map(|class| Err(class.to_owned()));
        }
        let integers = |key: &str| {
            let values = answer.get(key)?.as_array()?;
            let integer = |value: &Value| python::int(value).ok().flatten();
            let whole = |value: &&Value| value.is_number() && !super::model::has_fraction(value);
            values
                .iter()
                .map(|value| Some(value).filter(whole).and_then(integer))
                .collect::<Option<Vec<_>>>()
        };
        let shape = match answer.get("shape") {
            Some(_) => Some(integers("shape")?),
            None => None,
        };
        let dims = match answer.get("dims") {
            Some(dims) => Some(usize::try_from(dims.as_u64()?).ok()?),
            None => None,
        };
        Some(Ok(Self {
            voxel_size: integers("voxel_size")?,
            offset: integers("offset")?,
            shape,
            dims,
            axes: answer.get("axes").or_else(|| answer.get("axis_names"))?.clone(),
            extra: answer.get("mask_ok").or_else(|| answer.get("units")).cloned(),
        }))
    }
}
