//! `voxmask inspect`: what a label array is, and what was annotated in it.

use std::io::Write;

use annotation_mask::LabelList;
use anstream::stdout;
use anyhow::{Context, Result};
use array_core::{Array, ArrayExt};
use geometry::{Decimal, LengthUnit};
use serde_json::{Value, json};
use zarr_source::{MemoryOrder, ZarrArray};

use crate::args::InspectArgs;
use crate::report::id_json;
use crate::source;
use crate::table::{self, grouped, table};

pub(crate) fn run(args: &InspectArgs) -> Result<()> {
    let array = source::open(&args.source)?;
    let labels = LabelList::from_attrs(array.attrs())
        .with_context(|| format!("the attributes of {}", source::shown(&args.source.source)))?;
    let facts = Facts::of(&array)?;
    if args.json {
        let json = facts.json(&array, labels.as_ref())?;
        writeln!(stdout(), "{}", serde_json::to_string_pretty(&json)?)?;
        return Ok(());
    }
    facts.print(&array)?;
    print_labels(labels.as_ref())
}

/// The geometry in declared units.
struct Facts {
    voxel_size: Vec<Decimal>,
    offset: Vec<Decimal>,
    extent: Vec<Decimal>,
}

impl Facts {
    fn of(array: &ZarrArray) -> Result<Self> {
        let info = array.info();
        let unit = info.unit();
        Ok(Self {
            voxel_size: unit.decimals(info.grid().voxel_size().as_coordinate()),
            offset: unit.decimals(info.grid().offset()),
            extent: unit.decimals(&info.roi().shape()?),
        })
    }

    fn json(&self, array: &ZarrArray, labels: Option<&LabelList>) -> Result<Value> {
        let (info, metadata, report) = (array.info(), array.metadata(), array.geometry_report());
        let unit = info.unit();
        let unit_name = (unit.unit() != LengthUnit::Unknown).then(|| unit.unit().name());
        let step = unit.to_decimal(1);
        Ok(json!({
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
                "disagreements": report.disagreements,
            },
            "warnings": array.warnings(),
            "labels": labels.map(labels_json),
        }))
    }

    fn print(&self, array: &ZarrArray) -> Result<()> {
        let (info, metadata, report) = (array.info(), array.metadata(), array.geometry_report());
        let unit = info.unit();
        let symbol = match unit.unit() {
            LengthUnit::Unknown => "(unit unknown)",
            known => known.symbol(),
        };
        let chunks = match metadata.shard_shape() {
            Some(shard) => format!("{} in shards of {}", by(metadata.chunk_shape()), by(shard)),
            None => by(metadata.chunk_shape()),
        };
        let rows = [
            ("array", metadata.path().display().to_string()),
            (
                "format",
                format!(
                    "Zarr v{}, {} order",
                    metadata.zarr_format().number(),
                    order(metadata.memory_order())
                ),
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
        let mut out = stdout();
        for (name, value) in rows {
            writeln!(out, "{name:>11}  {value}")?;
        }
        Ok(())
    }
}

fn order(order: MemoryOrder) -> &'static str {
    match order {
        MemoryOrder::C => "C",
        MemoryOrder::F => "F",
        MemoryOrder::Other => "transposed",
    }
}

fn by<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ")
}

fn list<T: ToString>(values: &[T]) -> String {
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
