//! Masks and targets.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ::geometry::{Roi, Window};
use annotation_mask::{
    BinarizeArray, CropGroup, CropMaskAndTarget, GroundTruth, Grouping, Groups, LabelId, LabelList,
    MaskAndTarget, MaskError, MaskOptions,
};
use array_core::{
    AnyArray, Array, ArrayError, ArrayExt, ArrayInfo, BlockCache, DType, Output, StoredVisitor,
    Visitor, check_memory,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arguments::{get, maybe, region};
use crate::array::NativeArray;
use crate::crop::NativeCrop;
use crate::elements::{Writable, into_numpy};
use crate::errors::raise;
use crate::open::class_table;
use crate::threads::{Load, Nearness, Pace, read};

/// Masks and targets of labels or of a crop, with a cache or without.
#[pyclass(frozen, module = "voxmask._native")]
pub(crate) struct NativeTruth {
    pub(crate) truth: Arc<dyn GroundTruth>,
    pub(crate) nearness: Nearness,
    pace: Pace,
    factored: Option<Factored>,
    cache: Option<Arc<BlockCache>>,
    pub(crate) provenance: serde_json::Map<String, serde_json::Value>,
}

/// What reads the mask of labels as its factors.
type Factored =
    Arc<dyn Fn(&Roi, &AtomicBool) -> Result<(AnyArray, Vec<bool>), ArrayError> + Send + Sync>;

/// The mask or the target of a ground truth, as an array that owns it.
#[derive(Debug)]
struct Part {
    truth: Arc<dyn GroundTruth>,
    is_mask: bool,
}

impl Part {
    fn array(&self) -> &dyn Array {
        if self.is_mask { self.truth.mask_array() } else { self.truth.target_array() }
    }
}

impl Array for Part {
    fn info(&self) -> &ArrayInfo {
        self.array().info()
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.array().visit(window, visitor)
    }

    fn read_into(&self, window: &Window, out: Output<'_>) -> Result<(), ArrayError> {
        self.array().read_into(window, out)
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        self.array().visit_stored(window, visitor)
    }

    fn kind(&self) -> &'static str {
        self.array().kind()
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

impl NativeTruth {
    fn of_labels<A: Array + 'static + ?Sized>(
        pair: MaskAndTarget<A>,
        nearness: Nearness,
        cache: Option<Arc<BlockCache>>,
        provenance: serde_json::Map<String, serde_json::Value>,
    ) -> Self
    where
        MaskAndTarget<A>: GroundTruth,
    {
        let pair = Arc::new(pair);
        let of = Arc::clone(&pair);
        let factored = move |roi: &Roi, stop: &AtomicBool| {
            let window = of.mask().slices(roi)?;
            let mut foreground = AnyArray::zeros(DType::U8, window.shape())?;
            let out = Output::zeroed(foreground.view_mut()).stopped_by(stop);
            of.mask().read_foreground_into(&window, out)?;
            Ok((foreground, of.mask().kept()))
        };
        let (factored, pace) = (Some(Arc::new(factored) as Factored), Pace::default());
        Self { truth: pair, nearness, pace, factored, cache, provenance }
    }

    fn part(&self, is_mask: bool) -> NativeArray {
        let part = Part { truth: Arc::clone(&self.truth), is_mask };
        NativeArray::new(Arc::new(part), self.nearness)
    }
}

/// The target of an array of labels, whatever was annotated.
#[pyfunction]
pub(crate) fn binarize(
    py: Python<'_>,
    labels: &NativeArray,
    said: &Bound<'_, PyDict>,
) -> PyResult<(NativeArray, Vec<String>)> {
    let source = Arc::clone(&labels.array);
    let groups = resolved(py, &*source, said)?;
    let warnings = beyond(&groups, source.dtype());
    let target =
        BinarizeArray::new(source, &groups, get(said, "background")?).map_err(raise(py))?;
    let array: Arc<dyn Array> = match cache(said)? {
        None => Arc::new(target),
        Some(cache) => Arc::new(target.with_cache(&cache).map_err(raise(py))?),
    };
    Ok((NativeArray::new(array, labels.nearness), warnings))
}

/// The groups as ids: names are looked up in the class table and in what the labels list.
fn resolved(py: Python<'_>, labels: &dyn Array, said: &Bound<'_, PyDict>) -> PyResult<Groups> {
    // What is wrong with the attribute is told by the mask.
    let listed = LabelList::from_attrs(labels.attrs()).ok().flatten();
    let table = class_table(py, said)?;
    grouping(py, said)?.resolve_labels(table.as_ref(), listed.as_ref()).map_err(raise(py))
}

#[pymethods]
impl NativeTruth {
    /// Of an array of labels.
    #[staticmethod]
    fn labels(
        py: Python<'_>,
        labels: &NativeArray,
        said: &Bound<'_, PyDict>,
    ) -> PyResult<(Self, Vec<String>)> {
        let options = MaskOptions {
            rule: get::<String>(said, "rule")?.parse().map_err(raise(py))?,
            require_labels: get(said, "require_labels")?,
        };
        let background: LabelId = get(said, "background")?;
        let generic_ids: Vec<LabelId> = get(said, "generic_ids")?;
        let source = Arc::clone(&labels.array);
        let groups = resolved(py, &*source, said)?.with_generic_ids(&generic_ids);
        let mut warnings = beyond(&groups, source.dtype());
        if let Ok(None) = LabelList::from_attrs(source.attrs()) {
            warnings.push("there is no attribute `labels`: no id counts as missing".to_owned());
        }
        let provenance = provenance(&groups, &options, background);
        let pair = MaskAndTarget::new(source, &groups, &options, background).map_err(raise(py))?;
        let made = match cache(said)? {
            None => Self::of_labels(pair, labels.nearness, None, provenance),
            Some(cache) => {
                let pair = pair.with_cache(&cache).map_err(raise(py))?;
                Self::of_labels(pair, labels.nearness, Some(cache), provenance)
            }
        };
        Ok((made, warnings))
    }

    /// Of a crop group; without groups, each class is a channel.
    #[staticmethod]
    fn crop(py: Python<'_>, crop: &NativeCrop, said: &Bound<'_, PyDict>) -> PyResult<Self> {
        let grouping = grouping(py, said)?;
        let groups = if grouping.is_empty() {
            crop.crop.default_groups()
        } else {
            crop.crop.resolve(&grouping)
        };
        let groups = groups.map_err(raise(py))?;
        let provenance = serde_json::Map::from_iter([(
            "groups".to_owned(),
            groups
                .as_slice()
                .iter()
                .map(|group| serde_json::json!({"name": group.name, "classes": group.classes}))
                .collect(),
        )]);
        let cache = cache(said)?;
        let made: Result<Arc<dyn GroundTruth>, MaskError> = match &cache {
            None => CropMaskAndTarget::new(Arc::clone(&crop.crop), &groups)
                .map(|pair| Arc::new(pair) as Arc<dyn GroundTruth>),
            Some(cache) => copied(&crop.crop)
                .and_then(|crop| crop.with_cache(cache))
                .and_then(|crop| CropMaskAndTarget::new(Arc::new(crop), &groups))
                .map(|pair| Arc::new(pair) as Arc<dyn GroundTruth>),
        };
        let truth = made.map_err(raise(py))?;
        let (nearness, pace) = (crop.nearness, Pace::default());
        Ok(Self { truth, nearness, pace, factored: None, cache, provenance })
    }

    fn mask(&self) -> NativeArray {
        self.part(true)
    }

    fn target(&self) -> NativeArray {
        self.part(false)
    }

    /// For each channel: name, members, whether it is kept, missing members, why.
    fn channels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let channels = self.truth.channels().into_iter();
        PyList::new(
            py,
            channels.map(|channel| {
                (channel.name, channel.members, channel.kept, channel.missing, channel.why)
            }),
        )
    }

    fn read_pair<'py>(
        &self,
        py: Python<'py>,
        roi: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let (roi, truth) = (region(roi)?, &*self.truth);
        let work = |stop: &AtomicBool| -> Result<(AnyArray, AnyArray), ArrayError> {
            let array = truth.mask_array();
            let shape = [array.info().channel_shape(), array.slices(&roi)?.shape()].concat();
            let mut mask = AnyArray::zeros(DType::U8, &shape)?;
            let mut target = AnyArray::zeros(DType::U8, &shape)?;
            let outputs = [&mut mask, &mut target]
                .map(|array| Output::zeroed(array.view_mut()).stopped_by(stop));
            let [mask_out, target_out] = outputs;
            truth.read_pair_out(&roi, mask_out, target_out)?;
            Ok((mask, target))
        };
        let load = Load::of(truth.mask_array(), &roi);
        let (mask, target) = read(py, self.nearness, load, &self.pace, work)?.map_err(raise(py))?;
        Ok((into_numpy(py, mask), into_numpy(py, target)))
    }

    fn read_pair_to(
        &self,
        py: Python<'_>,
        roi: &Bound<'_, PyAny>,
        mask: &Bound<'_, PyAny>,
        target: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (roi, truth) = (region(roi)?, &*self.truth);
        let (mut mask, mut target) = (Writable::new(mask)?, Writable::new(target)?);
        let (mask, target) = (mask.view(), target.view());
        for found in [mask.dtype(), target.dtype()] {
            if found != DType::U8 {
                let error = ArrayError::DTypeMismatch { expected: DType::U8, found };
                return Err(raise(py)(error));
            }
        }
        let work = |stop: &AtomicBool| {
            let [mask, target] = [mask, target].map(|view| Output::new(view).stopped_by(stop));
            truth.read_pair_out(&roi, mask, target)
        };
        let load = Load::of(truth.mask_array(), &roi);
        read(py, self.nearness, load, &self.pace, work)?.map_err(raise(py))
    }

    /// The foreground of the labels, and for each channel whether it is kept; none for a crop.
    fn read_factored<'py>(
        &self,
        py: Python<'py>,
        roi: &Bound<'py, PyAny>,
    ) -> PyResult<Option<(Bound<'py, PyAny>, Vec<bool>)>> {
        let Some(factored) = &self.factored else { return Ok(None) };
        let roi = region(roi)?;
        let load = Load::of(self.truth.mask_array(), &roi);
        let work = |stop: &_| factored(&roi, stop);
        let done = read(py, self.nearness, load, &self.pace, work)?;
        let (foreground, kept) = done.map_err(raise(py))?;
        Ok(Some((into_numpy(py, foreground), kept)))
    }

    /// Hits, misses, blocks, bytes and the limit of the cache, if there is one.
    fn cache_stats(&self) -> Option<(u64, u64, u64, u64, u64)> {
        let stats = self.cache.as_ref()?.stats();
        Some((stats.hits, stats.misses, stats.blocks, stats.bytes, stats.max_bytes))
    }
}

/// A second handle on the same arrays.
fn copied(crop: &CropGroup<Arc<dyn Array>>) -> Result<CropGroup<Arc<dyn Array>>, MaskError> {
    let (name, attrs) = (crop.name(), Arc::clone(crop.attrs()));
    CropGroup::new(name, attrs, crop.classes().to_vec(), crop.table().cloned())
}

/// What was made of the labels, for whoever finds an output later.
fn provenance(
    groups: &Groups,
    options: &MaskOptions,
    background: LabelId,
) -> serde_json::Map<String, serde_json::Value> {
    let texts = |ids: &[LabelId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let groups = groups.as_slice().iter().map(|group| {
        serde_json::json!({
            "name": group.name,
            "ids": texts(&group.ids),
            "generic_ids": texts(&group.generic_ids),
        })
    });
    serde_json::Map::from_iter([
        ("rule".to_owned(), options.rule.name().into()),
        ("background".to_owned(), background.to_string().into()),
        ("groups".to_owned(), groups.collect()),
    ])
}

/// Ids that labels of this type never have, each in a sentence.
fn beyond(groups: &Groups, dtype: DType) -> Vec<String> {
    let sentence =
        |(group, id)| format!("group {group:?}: labels of type {dtype} never have the id {id}");
    groups.ids_beyond(dtype).into_iter().map(sentence).collect()
}

/// The groups: a file, or text of JSON.
fn grouping(py: Python<'_>, said: &Bound<'_, PyDict>) -> PyResult<Grouping> {
    if let Some(path) = maybe::<PathBuf>(said, "groups_file")? {
        return array_config::read_grouping(&path).map_err(raise(py));
    }
    match maybe::<String>(said, "groups")? {
        Some(text) => Grouping::from_json(&text).map_err(raise(py)),
        None => Ok(Grouping::default()),
    }
}

fn cache(said: &Bound<'_, PyDict>) -> PyResult<Option<Arc<BlockCache>>> {
    let Some(bytes) = maybe::<u64>(said, "cache_bytes")? else { return Ok(None) };
    check_memory(Some(bytes), || "the cache".to_owned()).map_err(raise(said.py()))?;
    Ok(Some(Arc::new(BlockCache::new(bytes))))
}
