//! What is told about how the geometry was found.

use std::fmt;

use crate::remark::Remark;

/// What the stored position of voxel 0 means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// Its first corner, as in funlib.persistence and DaCapo.
    Corner,
    /// Its centre, as in OME-NGFF and COSEM: the corner is half a voxel before it.
    Centre,
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Corner => "corner",
            Self::Centre => "centre",
        })
    }
}

/// Where a voxel size, an offset or the names of axes came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeometrySource {
    /// The caller gave it.
    Caller,
    /// A key of the array's own attributes.
    Own {
        /// The key, such as `voxel_size`.
        key: &'static str,
    },
    /// The array's `transform`, as COSEM writes it.
    Transform,
    /// The OME-NGFF entry of an enclosing group.
    Ome {
        /// The version of OME-NGFF, such as `0.4`.
        version: String,
        /// The path of the group inside its container; empty for the container itself.
        group: String,
    },
    /// The `multiscales` entry of an enclosing group, in the form of COSEM.
    Cosem {
        /// The path of the group inside its container; empty for the container itself.
        group: String,
    },
    /// The array's `pixelResolution`, x before y and z.
    PixelResolution,
    /// The voxel size of the group that holds the array, times the factors of the array's scale level.
    N5Group {
        /// The key with the factors, or `pixelResolution` if the group has none.
        key: &'static str,
        /// The path of the group inside its container; empty for the container itself.
        group: String,
    },
    /// The array's `dimension_units`, as Neuroglancer reads them.
    DimensionUnits,
    /// A key of the attributes of the group that holds the array.
    Parent {
        /// The key, such as `resolution`.
        key: &'static str,
    },
    /// The names that Zarr itself gives the dimensions.
    DimensionNames,
    /// Nothing says it: what is usual was taken.
    Default,
}

impl fmt::Display for GeometrySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_group = |f: &mut fmt::Formatter<'_>, what: &str, group: &str| match group {
            "" => write!(f, "{what} of the container"),
            group => write!(f, "{what} of group {group}"),
        };
        match self {
            Self::Caller => f.write_str("the caller"),
            Self::Own { key } => write!(f, "own {key}"),
            Self::Transform => f.write_str("own transform"),
            Self::Ome { version, group } => {
                of_group(f, &format!("ome {version} multiscales"), group)
            }
            Self::Cosem { group } => of_group(f, "cosem multiscales", group),
            Self::PixelResolution => f.write_str("own pixelResolution"),
            Self::N5Group { key, group } => of_group(f, key, group),
            Self::DimensionUnits => f.write_str("own dimension_units"),
            Self::Parent { key } => write!(f, "{key} of the group that holds the array"),
            Self::DimensionNames => f.write_str("dimension names"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// How the geometry of an array was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GeometryReport {
    /// What gave the voxel size.
    pub voxel_size_source: GeometrySource,
    /// What gave the offset.
    pub offset_source: GeometrySource,
    /// What gave the names of the axes.
    pub axes_source: GeometrySource,
    /// What gave the unit.
    pub unit_source: GeometrySource,
    /// What the stored offset meant.
    pub convention: Convention,
    /// One sentence for each other place that says something else.
    pub disagreements: Vec<Remark>,
}
