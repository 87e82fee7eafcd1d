//! An array that is stored as Zarr.

use std::path::PathBuf;
use std::sync::Arc;

use array_core::{Array, ArrayError, ArrayInfo, StoredVisitor, Visitor, WritableArray};
use geometry::Window;
use serde_json::{Map, Value};

use crate::chunks::Chunks;
use crate::error::{ZarrError, into_array_error};
use crate::levels;
use crate::locate::of_kind;
use crate::location::Location;
use crate::metadata::ZarrMetadata;
use crate::node::{Node, NodeKind, path_inside};
use crate::options::OpenOptions;
use crate::place::{GeometryReport, Surroundings, resolve};
use crate::read;
use crate::remark::{Remark, RemarkKind};
use crate::spec::ArraySpec;
use crate::store::Container;
use crate::write::Writer;

/// An array of Zarr, version 2 or 3, or of N5: in a folder, opened for reading or for writing, or in a zip
/// archive or behind a URL, opened for reading.
///
/// Opening reads metadata only, reading decodes the chunks that it needs, and neither ever creates or
/// changes a file.
#[derive(Debug)]
pub struct ZarrArray {
    pub(crate) info: ArrayInfo,
    pub(crate) chunks: Chunks,
    pub(crate) writer: Option<Writer>,
    metadata: ZarrMetadata,
    report: GeometryReport,
    warnings: Vec<Remark>,
    group_attrs: Map<String, Value>,
}

impl ZarrArray {
    /// Opens an array for reading: in a folder (`crop.zarr/labels/all/s0`), in a zip archive
    /// (`crop.zarr.zip/labels/all/s0`), or behind a URL (`s3://bucket/crop.zarr/labels/all/s0`).
    ///
    /// The groups around the path count. If it is a link that lies in no group, those around the place
    /// that it leads to count.
    ///
    /// # Errors
    ///
    /// [`ZarrError::NotFound`], [`ZarrError::NotAZarrArray`], [`ZarrError::Unsupported`],
    /// [`ZarrError::MetadataMalformed`], [`ZarrError::NoGeometry`], [`ZarrError::Geometry`],
    /// [`ZarrError::Description`], [`ZarrError::InvalidLocation`] or [`ZarrError::StoreIo`].
    pub fn open(location: impl Into<Location>) -> Result<Self, ZarrError> {
        Self::open_with(location, &OpenOptions::default())
    }

    /// Opens an array for reading, with what the caller knows better than the metadata.
    ///
    /// # Errors
    ///
    /// Those of [`ZarrArray::open`].
    pub fn open_with(
        location: impl Into<Location>,
        options: &OpenOptions,
    ) -> Result<Self, ZarrError> {
        let (container, dir) = Container::open(&location.into(), &options.store)?;
        Self::open_in(container, dir, options)
    }

    /// Opens the array in the folder `dir` of a container, or a scale level of the group in it.
    pub(crate) fn open_in(
        container: Container,
        dir: PathBuf,
        options: &OpenOptions,
    ) -> Result<Self, ZarrError> {
        let node = Node::read(&container, &dir)?;
        Self::open_node(container, dir, node, options)
    }

    /// The same, where what lies in the folder has been read.
    pub(crate) fn open_node(
        container: Container,
        dir: PathBuf,
        node: Option<Node>,
        options: &OpenOptions,
    ) -> Result<Self, ZarrError> {
        let chosen = levels::choose(&container, &dir, node, options)?;
        let levels::Chosen { dir, node, warnings: told } = chosen;
        let node = of_kind(&container, &dir, node, NodeKind::Array)?;
        let mut spec = ArraySpec::new(&container, &node)?;
        let groups = Node::enclosing_groups(&container, &dir)?;
        let root = groups.last().map_or(&dir, |group| &group.dir).clone();
        let around = Surroundings { node: &node, spec: &spec, groups: &groups, root: &root };
        let place = resolve(&around, options)?;
        let codecs = std::mem::take(&mut spec.codec_names);
        let (order, warnings) = (spec.order, std::mem::take(&mut spec.warnings));
        let chunks = Chunks::new(container, dir.clone(), spec)?;

        let mut report = place.report;
        let (attrs, inherited) = attributes(&node, &groups);
        report.disagreements.extend(inherited.map(|text| RemarkKind::LabelsOfGroup.says(text)));
        let channel_dims = chunks.shape.len().saturating_sub(place.grid.dims());
        let block_shape = chunks.chunk_shape().get(channel_dims..).unwrap_or_default();
        let description =
            |source| ZarrError::Description { path: dir.clone(), source: Box::new(source) };
        let mut info = ArrayInfo::new(chunks.dtype(), &place.axes, &chunks.shape, place.grid)
            .and_then(|info| info.with_unit(place.unit).with_block_shape(block_shape))
            .map_err(description)?;
        if let Some(names) = channel_names(&attrs, &info) {
            info = info.with_channel_names(names).map_err(description)?;
        }
        let metadata = ZarrMetadata {
            path_in_container: path_inside(&root, &dir),
            container: root,
            format: node.format,
            chunk_shape: chunks.chunk_shape().to_vec(),
            shard_shape: chunks.sharding.as_ref().map(|_| chunks.stored_shape.clone()),
            codecs,
            fill_value: chunks.fill_value,
            memory_order: order,
            path: dir,
        };
        let parent = metadata.path.parent();
        let group = groups.into_iter().find(|group| Some(group.dir.as_path()) == parent);
        let group_attrs = group.map(|group| group.attrs).unwrap_or_default();
        let warnings = [told, warnings, place.warnings].concat();
        let info = info.with_attrs(Arc::new(attrs));
        Ok(Self { info, chunks, writer: None, metadata, report, warnings, group_attrs })
    }

    /// Opens an array for reading and writing.
    ///
    /// # Errors
    ///
    /// Those of [`ZarrArray::open`].
    pub fn open_writable(location: impl Into<Location>) -> Result<Self, ZarrError> {
        Self::open(location)?.into_writable()
    }

    /// The same array, for writing, too.
    ///
    /// # Errors
    ///
    /// [`ZarrError::Unsupported`] if it lies where nothing can be written, such as behind a URL.
    pub fn into_writable(self) -> Result<Self, ZarrError> {
        Ok(Self { writer: Some(Writer::new(&self.chunks)?), ..self })
    }

    /// All that a user should know of the metadata: where they disagree, and what they leave open.
    pub fn remarks(&self) -> impl Iterator<Item = &Remark> {
        self.report.disagreements.iter().chain(&self.warnings)
    }

    /// The attributes of the group that holds the array; none if no group does.
    #[must_use]
    pub fn group_attrs(&self) -> &Map<String, Value> {
        &self.group_attrs
    }

    /// How the array is stored.
    #[must_use]
    pub fn metadata(&self) -> &ZarrMetadata {
        &self.metadata
    }

    /// How its place in the world was found.
    #[must_use]
    pub fn geometry_report(&self) -> &GeometryReport {
        &self.report
    }

    /// One sentence for each thing about the metadata that a user should know.
    #[must_use]
    pub fn warnings(&self) -> &[Remark] {
        &self.warnings
    }
}

impl Array for ZarrArray {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        read::visit(&self.chunks, self.info.channel_dims(), window, visitor)
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        let window = read::all_axes(&self.chunks.shape, self.info.channel_dims(), window);
        self.chunks.visit_stored(&window, visitor)
    }

    fn kind(&self) -> &'static str {
        "a Zarr array"
    }

    fn as_writable(&self) -> Option<&dyn WritableArray> {
        self.writer.as_ref().map(|_| self as &dyn WritableArray)
    }
}

impl WritableArray for ZarrArray {
    fn write_window(
        &self,
        window: &Window,
        data: &array_core::AnyView<'_>,
    ) -> Result<(), ArrayError> {
        match &self.writer {
            Some(writer) => writer.write(&self.chunks, self.info.channel_dims(), window, data),
            None => {
                let path = self.metadata.path.clone();
                Err(into_array_error(ZarrError::NotWritable { path }))
            }
        }
    }
}

/// The attributes of an array; `labels` may be those of the group that holds it.
fn attributes(node: &Node, groups: &[Node]) -> (Map<String, Value>, Option<String>) {
    let key = "labels";
    let mut attrs = node.attrs.clone();
    if attrs.get(key).is_some_and(|labels| !labels.is_null()) {
        return (attrs, None);
    }
    attrs.shift_remove(key);
    let parent = groups.first().filter(|group| node.dir.parent() == Some(&group.dir));
    let labels = parent.and_then(|group| Some((&group.attrs_file, group.attrs.get(key)?)));
    match labels {
        Some((file, labels)) if !labels.is_null() && !names_images(labels) => {
            attrs.insert(key.to_owned(), labels.clone());
            let file = file.display();
            let sentence =
                format!("the array has no labels attribute; that of its group ({file}) was taken");
            (attrs, Some(sentence))
        }
        _ => (attrs, None),
    }
}

/// Whether the `labels` of a group are those of OME-NGFF: the names of label images.
fn names_images(labels: &Value) -> bool {
    let names = labels.as_array().filter(|names| !names.is_empty());
    names.is_some_and(|names| names.iter().all(Value::is_string))
}

/// The names that the attribute `channel_names` gives the channels, if it has one for each.
fn channel_names(attrs: &Map<String, Value>, info: &ArrayInfo) -> Option<Vec<String>> {
    let names = attrs.get("channel_names")?.as_array()?;
    let names: Vec<String> =
        names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    (info.num_channels() == Some(names.len())).then_some(names)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use array_core::ArrayExt;
    use zarrs::storage::store::MemoryStore;
    use zarrs::storage::{StoreKey, WritableStorageTraits};

    use super::*;

    /// What a container without files needs: every document, chunk and shard comes out of its store.
    #[test]
    fn an_array_is_read_out_of_any_store() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        for name in ["v2_blosc_lz4", "v3_transpose", "v3_sharded_missing"] {
            let root = fixtures.join(format!("{name}.zarr"));
            let (store, mut folders) = (MemoryStore::new(), vec![root.clone()]);
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(folder).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_dir() {
                        folders.push(path);
                        continue;
                    }
                    let key = StoreKey::new(path_inside(&root, &path)).unwrap();
                    store.set(&key, fs::read(path).unwrap().into()).unwrap();
                }
            }
            let elsewhere = PathBuf::from("/no-such-folder");
            let container = Container::new(elsewhere.clone(), Arc::new(store));
            let options = OpenOptions::default();
            let array = ZarrArray::open_in(container, elsewhere.join("s0"), &options).unwrap();
            let local = ZarrArray::open(root.join("s0")).unwrap();
            assert_eq!(array.data().unwrap(), local.data().unwrap(), "{name}");
            assert_eq!(array.info().grid(), local.info().grid(), "{name}");
        }
    }
}
