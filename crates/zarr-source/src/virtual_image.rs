//! Images that lie nowhere: their documents and chunks are made when somebody asks for them.

use std::path::PathBuf;
use std::sync::Arc;

use array_core::ArrayInfo;
use zarrs::storage::store::MemoryStore;
use zarrs::storage::{StoreKey, WritableStorageTraits};

use crate::array::ZarrArray;
use crate::chunks::Chunks;
use crate::encoded::{EncodedChunk, encode};
use crate::error::ZarrError;
use crate::image::{self, ImageOptions, array_name, check_place};
use crate::json::to_bytes;
use crate::node::{ZarrFormat, path_inside};
use crate::options::OpenOptions;
use crate::store::Container;

/// An image that is stored nowhere, in both versions of Zarr at once: its metadata documents, and what
/// encodes its chunks. It is for whoever answers requests for the keys of a container.
///
/// The documents are those that [`crate::Staging::create_levels`] would write, with OME-NGFF 0.4 in version 2
/// and 0.5 in version 3. An encoded chunk is the same in both; its key is `s0/c/0/1/2` in version 3 and
/// `s0/0/1/2` in version 2.
///
/// ```
/// use array_core::{ArrayInfo, DType};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
/// use zarr_source::{ImageOptions, VirtualImage, ZarrFormat};
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[3], grid)?;
/// let options = ImageOptions { chunk_shape: Some(vec![2]), ..ImageOptions::default() };
/// let image = VirtualImage::new("mask", &[info], &options)?;
///
/// let keys: Vec<_> = image.documents(ZarrFormat::V3).iter().map(|(key, _)| key.as_str()).collect();
/// assert_eq!(keys, ["zarr.json", "s0/zarr.json"]);
/// assert!(image.encode(0, &[1, 0])?.is_some());
/// assert!(image.encode(0, &[0, 0])?.is_none());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct VirtualImage {
    v2: Vec<(String, Vec<u8>)>,
    v3: Vec<(String, Vec<u8>)>,
    levels: Vec<Chunks>,
}

impl VirtualImage {
    /// The image `name` with the scale levels `levels`, arrays `s0`, `s1` and so on, the finest first. The
    /// format of `options` does not matter.
    ///
    /// # Errors
    ///
    /// [`ZarrError::Unsupported`] for a chunk shape that does not fit, for shards, and for a geometry that JSON
    /// numbers cannot hold exactly; [`ZarrError::Geometry`].
    pub fn new(
        name: &str,
        levels: &[ArrayInfo],
        options: &ImageOptions,
    ) -> Result<Self, ZarrError> {
        // No path of the machine: messages name what is asked for.
        let group = PathBuf::from(format!("virtual:{name}"));
        let of_format = |zarr_format: ZarrFormat| {
            let options = ImageOptions { zarr_format, ..options.clone() };
            let (mut documents, store) = (Vec::new(), Arc::new(MemoryStore::new()));
            for (file, document) in image::documents(&group, name, levels, &options)? {
                let (key, bytes) = (path_inside(&group, &file), to_bytes(&file, &document)?);
                let stored = StoreKey::new(&key)
                    .map_err(|error| ZarrError::unsupported(&file, format!("the key ({error})")))?;
                store
                    .set(&stored, bytes.clone().into())
                    .map_err(|error| ZarrError::unsupported(&file, format!("a key ({error})")))?;
                documents.push((key, bytes));
            }
            let container = Container::new(group.clone(), store);
            let open = |(level, info): (usize, &ArrayInfo)| {
                let dir = group.join(array_name(level));
                let opened =
                    ZarrArray::open_in(container.clone(), dir.clone(), &OpenOptions::default())?;
                check_place(&dir, info, &opened)?;
                Ok(opened.chunks)
            };
            let chunks = levels.iter().enumerate().map(open).collect::<Result<_, ZarrError>>()?;
            Ok::<(_, Vec<Chunks>), ZarrError>((documents, chunks))
        };
        let (v2, _) = of_format(ZarrFormat::V2)?;
        let (v3, levels) = of_format(ZarrFormat::V3)?;
        Ok(Self { v2, v3, levels })
    }

    /// The metadata documents and their keys in the group of the image; none in N5.
    #[must_use]
    pub fn documents(&self, format: ZarrFormat) -> &[(String, Vec<u8>)] {
        match format {
            ZarrFormat::V2 => &self.v2,
            ZarrFormat::V3 => &self.v3,
            ZarrFormat::N5 => &[],
        }
    }

    /// The shape of a chunk of a level along all axes; none if there is no such level.
    #[must_use]
    pub fn chunk_shape(&self, level: usize) -> Option<&[usize]> {
        self.levels.get(level).map(Chunks::chunk_shape)
    }

    /// Encodes the elements of one chunk of a level, in C order and native bytes; beyond the border of the
    /// array they are padded with zeros. None if all of them are zero: such a chunk is not stored.
    ///
    /// # Errors
    ///
    /// [`ZarrError::Unsupported`] if they are not as many as a chunk has, or there is no such level.
    pub fn encode(&self, level: usize, elements: &[u8]) -> Result<Option<EncodedChunk>, ZarrError> {
        match self.levels.get(level) {
            Some(chunks) => encode(chunks, elements),
            None => {
                let path = PathBuf::from(array_name(level));
                Err(ZarrError::unsupported(&path, "a level that the image does not have,"))
            }
        }
    }
}
