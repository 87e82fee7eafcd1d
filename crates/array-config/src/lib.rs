//! Descriptions of arrays that can be written to a file, and opened.
//!
//! An [`ArrayConfig`] says what an array is made of: a Zarr array, the mask of it, the mask of a crop
//! of it, and so on, as deep as needed. It is read from TOML, JSON or YAML, in the form of this crate
//! or in the one in which DaCapo stores its array configs, and [`ArrayConfig::build`] opens it.
//!
//! # The form of this crate
//!
//! Each array is a table with a `kind`. Relative paths are relative to the folder that `build` is
//! given: that of the config file. What is not known is an error. Keys in brackets may be missing.
//!
//! | kind | keys |
//! | --- | --- |
//! | `zarr` | `path` (a path or a URL), \[`dataset`, `scale` (`s1` or `8nm`), `voxel_size`, `offset`, `axes`, `unit`, `translation`, `unit_voxels`, `snap_to_grid`, `numbers`\] |
//! | `crop_group` | `path`, \[`dataset`, `scale`, `what` (`mask` or `target`), `classes` (a class table), `groups`\] |
//! | `crop` | `source`, `roi` (`"[0:8.5, 16:32] nm"`, or `offset` and `shape` in the declared unit), \[`numbers`\] |
//! | `mask` | `source`, `groups`, \[`generic_ids`, `rule`, `require_labels`\] |
//! | `binarize` | `source`, `groups`, \[`background`\] |
//! | `ones` | `source` |
//! | `constant` | `source`, `value` (an integer), \[`dtype`\] |
//! | `concat` | `sources`, \[`names`\] |
//! | `sum` | `sources` |
//! | `logical_or` | `source` |
//! | `resample` | `source`, \[`upsample`, `downsample`, `method` (`nearest`, `mode` or `mean`), `align_to_world`\] |
//!
//! `groups` is a list of `{name, ids, generic_ids}` or of DaCapo's `[name, [ids]]`, a mapping from
//! names to ids (not in TOML, whose keys have no order), or the path of a groups file.
//!
//! ```
//! use array_config::ArrayConfig;
//!
//! let config = ArrayConfig::from_toml(
//!     r#"
//!     kind = "mask"
//!     rule = "generic"
//!     groups = [{name = "mito", ids = [3, 4, 5]}, {name = "nucleus", ids = [20, 24, 37], generic_ids = [37]}]
//!
//!     [source]
//!     kind = "crop"
//!     roi = "[13282.29:13806.29, 0:400, 0:400] nm"
//!     source = {kind = "zarr", path = "crop1.zarr/labels/all"}
//!     "#,
//! )?;
//! let ArrayConfig::Mask(mask) = &config else { panic!("it says mask") };
//! assert_eq!(mask.source.kind(), "crop");
//! # Ok::<_, array_config::ConfigError>(())
//! ```
//!
//! # The form of DaCapo
//!
//! A table with `__type__`, such as `MissingAnnotationsMaskConfig`, and the fields of that class: what
//! DaCapo puts into its database, and what people keep as YAML or JSON. The fields are those of all
//! versions that had `source_array_config`. Where DaCapo does something wrong or nothing that can be
//! told, the array here is right or the config refused:
//!
//! - The numbers of `roi` and `snap_to_grid` are nanometres, or the array's own numbers where it
//!   declares no unit. They are converted exactly, or refused.
//! - `snap_to_grid` cuts the array down to whole cells of that grid. DaCapo also showed the first voxel
//!   where the first cell begins, which moves the data; here voxels stay in their place, and a warning
//!   says where that differs. (Its last version reads the field and does nothing.)
//! - `MissingAnnotationsMaskConfig` follows the rule *strict*, as DaCapo's last version of it. The
//!   older one, in which id 37 was generic, is `rule` and `generic_ids` of the kind `mask`.
//! - `OnesArrayConfig` is uint8. `ConstantArrayConfig` keeps the element type of its source.
//! - `ResampledArrayConfig` with `interp_order` 0 takes the voxel that scikit-image takes, and is
//!   aligned to multiples of the new voxel size, as DaCapo's is. Ids above 2^24 stay what they are, which
//!   float32 does not keep there. An order above 0 depends in DaCapo on the region that is read:
//!   downsampling takes the mean instead, with a warning; upsampling is refused. So are factors like
//!   3 / 2.
//! - `ConcatArrayConfig` gives a channel without a source zeros, as DaCapo says it does.
//! - Unknown fields are logged as warnings; kinds that are not built in are refused by name.
//!
//! A file that holds more than one array, such as a `RawGTDatasetConfig`, is read with the place of the
//! one that is meant: `dataset.yaml#gt_config` ([`ArrayConfig::from_file_at`]).

mod at;
mod build;
mod channels;
mod config;
mod crop_group;
mod dacapo;
mod document;
mod error;
mod fields;
mod file;
mod groups;
mod lengths;
mod open;
mod parse;
mod pick;
mod text_file;

pub use channels::LabelChannels;
pub use config::{
    ArrayConfig, BinarizeConfig, ConcatConfig, ConstantConfig, CropConfig, LogicalOrConfig,
    MaskConfig, OnesConfig, ResampleConfig, SumConfig, Translation, ZarrConfig,
};
pub use crop_group::{CropGroupConfig, CropGroupPart};
pub use document::Format;
pub use error::ConfigError;
pub use groups::{GroupConfig, GroupMember, GroupsConfig, read_grouping};
pub use lengths::Numbers;
pub use open::{
    OpenError, Opened, OpenedCrop, is_crop, open, open_crop, open_crop_partly, open_partly,
    read_class_table,
};
