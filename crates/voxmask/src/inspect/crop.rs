//! What a crop is: its place, and for each class how it is encoded and what should be in it.

use std::io::Write;

use annotation_mask::{ClassState, CropClass};
use anstream::stdout;
use anyhow::Result;
use array_config::{LabelChannels, OpenedCrop};
use array_core::{Array, ArrayExt};
use serde_json::{Value, json};

use super::array::{Facts, by, list};
use super::{print_json, print_rows};
use crate::table::{self, grouped, table};
use crate::values::id_json;

/// Prints a crop, for people or for programs.
pub(crate) fn print(opened: &OpenedCrop, as_json: bool) -> Result<()> {
    let crop = &opened.crop;
    let facts = Facts::of(crop.info())?;
    if as_json {
        let unit = facts.unit_name();
        return print_json(&json!({
            "path": opened.path.display().to_string(),
            "crop": crop.name(),
            "shape": crop.info().shape(),
            "axes": crop.info().axes(),
            "units": crop.info().axes().iter().map(|_| unit).collect::<Vec<_>>(),
            "voxel_size": facts.voxel_size,
            "offset": facts.offset,
            "roi": {"offset": facts.offset, "shape": facts.extent},
            "class_names": crop.class_names(),
            "classes": classes_json(opened),
            "warnings": crop.warnings().collect::<Vec<_>>(),
        }));
    }
    let symbol = facts.symbol();
    print_rows(&[
        ("crop", opened.path.display().to_string()),
        ("shape", format!("{} ({})", by(crop.info().shape()), crop.info().axes().join(", "))),
        ("voxel size", format!("{} {symbol}", by(&facts.voxel_size))),
        ("corner", format!("{} {symbol}", list(&facts.offset))),
        ("region", crop.info().unit().format_roi(crop.info().roi())),
    ])?;
    writeln!(stdout())?;
    let header = ["class", "array", "dtype", "encoding", "absent", "unknown", ""];
    let mut table = table(&header, &[4, 5]);
    for name in crop.class_names() {
        let Some((class, array)) = class_of(opened, name) else {
            let why = "listed, but has no array: unknown everywhere, unless its constituents tell";
            table.add_row([name.as_str(), "", "", "", "", "", why]);
            continue;
        };
        let count = |state| {
            let count = class.annotation.complement_counts.get(&state).copied();
            count.map(grouped).unwrap_or_default()
        };
        table.add_row([
            name.clone(),
            array.metadata().path_in_container().to_owned(),
            array.dtype().to_string(),
            class.annotation.encoding.to_string(),
            count(ClassState::Absent),
            count(ClassState::Unknown),
            String::new(),
        ]);
    }
    Ok(table::print(&table)?)
}

fn class_of<'a>(
    opened: &'a OpenedCrop,
    name: &str,
) -> Option<(&'a CropClass<std::sync::Arc<dyn Array>>, &'a zarr_source::ZarrArray)> {
    let index = opened.crop.index_of(name)?;
    opened.crop.classes().get(index).zip(opened.arrays.get(index).map(|array| &**array))
}

fn classes_json(opened: &OpenedCrop) -> Value {
    let class = |name: &String| {
        let Some((class, array)) = class_of(opened, name) else {
            return json!({"name": name, "array": null});
        };
        let annotation = &class.annotation;
        let values = |state| annotation.encoding.values_of(state).map(id_json).collect::<Vec<_>>();
        let states = ClassState::ALL.map(|state| (state.name().to_owned(), json!(values(state))));
        let counts = annotation.complement_counts.iter();
        json!({
            "name": name,
            "array": array.metadata().path().display().to_string(),
            "dtype": array.dtype().name(),
            "chunk_shape": array.metadata().chunk_shape(),
            "type": annotation.encoding.annotation_type().name(),
            "encoding": states.into_iter().collect::<serde_json::Map<_, _>>(),
            "encoding_of": annotation.found_on.name(),
            "complement_counts": counts
                .map(|(state, count)| (state.name().to_owned(), json!(count)))
                .collect::<serde_json::Map<_, _>>(),
        })
    };
    opened.crop.class_names().iter().map(class).collect()
}

/// Prints an array that a config describes, and the channels that the config makes of it.
pub(crate) fn print_virtual(
    array: &dyn Array,
    channels: Option<&LabelChannels>,
    as_json: bool,
) -> Result<()> {
    let info = array.info();
    let names = match channels {
        Some(channels) => {
            Some(channels.groups.names().into_iter().map(str::to_owned).collect::<Vec<_>>())
        }
        None => info.channel_names().map(<[String]>::to_vec),
    };
    let rule = channels.map(|channels| channels.options.rule.name());
    let facts = Facts::of(info)?;
    if as_json {
        let unit = facts.unit_name();
        return print_json(&json!({
            "kind": array.kind(),
            "dtype": info.dtype().name(),
            "shape": info.shape(),
            "axes": info.axes(),
            "units": info.spatial_axes().iter().map(|_| unit).collect::<Vec<_>>(),
            "voxel_size": facts.voxel_size,
            "offset": facts.offset,
            "roi": {"offset": facts.offset, "shape": facts.extent},
            "channels": names,
            "rule": rule,
        }));
    }
    let symbol = facts.symbol();
    let mut rows = vec![
        ("array", array.kind().to_owned()),
        ("shape", format!("{} ({})", by(info.shape()), info.axes().join(", "))),
        ("dtype", info.dtype().to_string()),
        ("voxel size", format!("{} {symbol}", by(&facts.voxel_size))),
        ("corner", format!("{} {symbol}", list(&facts.offset))),
        ("region", info.unit().format_roi(info.roi())),
    ];
    rows.extend(names.map(|names| ("channels", names.join(", "))));
    rows.extend(rule.map(|rule| ("rule", rule.to_owned())));
    print_rows(&rows)
}
