//! What an array is, and what was annotated in it.

use std::io::Write;

use annotation_mask::LabelList;
use anstream::stdout;
use anyhow::{Context, Result};
use array_core::{Array, ArrayExt, ArrayInfo};
use geometry::{Decimal, LengthUnit, WorldUnit};
use serde_json::{Value, json};
use zarr_source::{MemoryOrder, Remark, ZarrArray};

use crate::inspect::{print_json, print_rows};
use crate::table::{self, grouped, table};
use crate::values::id_json;

/// Prints an array, for people or for programs.
pub(crate) fn print(array: &ZarrArray, json: bool) -> Result<()> {
    let labels = LabelList::from_attrs(array.attrs())
        .with_context(|| format!("the attributes of {}", array.metadata().path().display()))?;
    let facts = Facts::of(array.info())?;
    if json {
        return print_json(&facts.json(array, labels.as_ref()));
    }
    facts.print(array)?;
    print_labels(labels.as_ref())
}

/// The geometry in declared units.
pub(super) struct Facts {
    pub(super) voxel_size: Vec<Decimal>,
    pub(super) offset: Vec<Decimal>,
    pub(super) extent: Vec<Decimal>,
    unit: WorldUnit,
}

impl Facts {
    pub(super) fn of(info: &ArrayInfo) -> Result<Self> {
        let unit = info.unit();
        Ok(Self {
            unit,
            voxel_size: unit.decimals(info.grid().voxel_size().as_coordinate()),
            offset: unit.decimals(info.grid().offset()),
            extent: unit.decimals(&info.roi().shape()?),
        })
    }

    /// The name of the declared unit; none if it is not known.
    pub(super) fn unit_name(&self) -> Option<&'static str> {
        let unit = self.unit.unit();
        (unit != LengthUnit::Unknown).then(|| unit.name())
    }

    /// What stands behind numbers.
    pub(super) fn symbol(&self) -> &'static str {
        match self.unit.unit() {
            LengthUnit::Unknown => "(unit unknown)",
            known => known.symbol(),
        }
    }

    fn json(&self, array: &ZarrArray, labels: Option<&LabelList>) -> Value {
        let (info, metadata, report) = (array.info(), array.metadata(), array.geometry_report());
        let unit_name = self.unit_name();
        let step = info.unit().to_decimal(1);
        json!({
            "path": metadata.path().display().to_string(),
            "zarr_format": metadata.zarr_format().number(),
            "dtype": info.dtype().name(),
            "shape": info.shape(),
            "chunk_shape": metadata.chunk_shape(),
            "shard_shape": metadata.shard_shape(),
            "codecs": metadata.codecs(),
            "order": order(metadata.memory_order()),
            "fill_value": metadata.fill_value().to_string(),
            "axes": info.axes(),
            "units": info.spatial_axes().iter().map(|_| unit_name).collect::<Vec<_>>(),
            "voxel_size": self.voxel_size,
            "offset": self.offset,
            "roi": {"offset": self.offset, "shape": self.extent},
            "world_unit": {"unit": unit_name, "step": step},
            "geometry_source": report.voxel_size_source.to_string(),
            "geometry": {
                "voxel_size": report.voxel_size_source.to_string(),
                "offset": report.offset_source.to_string(),
                "axes": report.axes_source.to_string(),
                "unit": report.unit_source.to_string(),
                "stored_offset_is": report.convention.to_string(),
                "disagreements": texts(&report.disagreements),
            },
            "warnings": texts(array.warnings()),
            "labels": labels.map(labels_json),
        })
    }

    fn print(&self, array: &ZarrArray) -> Result<()> {
        let (info, metadata, report) = (array.info(), array.metadata(), array.geometry_report());
        let unit = info.unit();
        let symbol = self.symbol();
        let chunks = match metadata.shard_shape() {
            Some(shard) => format!("{} in shards of {}", by(metadata.chunk_shape()), by(shard)),
            None => by(metadata.chunk_shape()),
        };
        let rows = [
            ("array", metadata.path().display().to_string()),
            (
                "format",
                format!("{}, {} order", metadata.zarr_format(), order(metadata.memory_order())),
            ),
            ("shape", format!("{} ({})", by(info.shape()), info.axes().join(", "))),
            ("dtype", info.dtype().to_string()),
            ("chunks", chunks),
            ("codecs", metadata.codecs().join(", ")),
            ("voxel size", format!("{} {symbol}", by(&self.voxel_size))),
            ("corner", format!("{} {symbol}", list(&self.offset))),
            ("region", unit.format_roi(info.roi())),
            ("world unit", unit.to_string()),
            (
                "geometry",
                format!(
                    "voxel size from {}, position from {} (read as the {} of voxel 0)",
                    report.voxel_size_source, report.offset_source, report.convention
                ),
            ),
        ];
        print_rows(&rows)
    }
}

fn texts(remarks: &[Remark]) -> Vec<&str> {
    remarks.iter().map(|remark| remark.text.as_str()).collect()
}

fn order(order: MemoryOrder) -> &'static str {
    match order {
        MemoryOrder::C => "C",
        MemoryOrder::F => "F",
        MemoryOrder::Other => "transposed",
    }
}

pub(super) fn by<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ")
}

pub(super) fn list<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn labels_json(labels: &LabelList) -> Value {
    let entry = |entry: &annotation_mask::LabelEntry| {
        json!({
            "value": id_json(entry.value),
            "name": {"long": entry.long_name, "short": entry.short_name},
            "present": entry.present,
            "annotated": entry.annotation.name(),
            "missing": entry.is_missing(),
            "count": entry.count,
        })
    };
    labels.entries().iter().map(entry).collect()
}

fn print_labels(labels: Option<&LabelList>) -> Result<()> {
    let mut out = stdout();
    writeln!(out)?;
    let Some(labels) = labels else {
        writeln!(out, "no `labels` attribute: it is not known what was annotated")?;
        return Ok(());
    };
    let mut table = table(&["id", "class", "short", "present", "annotated", "voxels", ""], &[0, 5]);
    for entry in labels.entries() {
        table.add_row([
            entry.value.to_string(),
            entry.long_name.clone(),
            entry.short_name.clone(),
            if entry.present { "yes" } else { "no" }.to_owned(),
            entry.annotation.name().to_owned(),
            entry.count.map(grouped).unwrap_or_default(),
            if entry.is_missing() { "missing: present but not annotated" } else { "" }.to_owned(),
        ]);
    }
    Ok(table::print(&table)?)
}
