//! Real label volumes: what their masks must sum to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use annotation_mask::{Group, Groups, MaskAndTarget, MaskOptions};
use anyhow::{Context, bail};
use array_core::{Array, ArrayError, ArrayExt, fold_blocks};
use geometry::Window;
use zarr_source::ZarrArray;

/// Checks the masks of the UroCell crops in `folder`, and that every label volume beside them has as
/// many voxels of each label as its metadata says.
///
/// # Errors
///
/// If something is missing or differs; every difference is printed first.
pub(crate) fn run(folder: &Path) -> anyhow::Result<()> {
    let mut failures = urocell(folder)?;
    for path in ["vnc_sstem.zarr/labels/s0", "dk_atlas.zarr/labels/s0"] {
        failures += counts(&folder.join(path), path)?;
    }
    if failures > 0 {
        bail!("{failures} differences");
    }
    Ok(())
}

/// Compares the sums of `urocell_dacapo_mask_sums.csv`, column `mask_sum_intended`.
fn urocell(folder: &Path) -> anyhow::Result<usize> {
    let table = folder.join("urocell_dacapo_mask_sums.csv");
    let text =
        fs::read_to_string(&table).with_context(|| format!("opening {}", table.display()))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().context("the table is empty")?.split(',').collect();
    let column = |name: &str| {
        let found = header.iter().position(|column| *column == name);
        found.with_context(|| format!("{} has no column {name}", table.display()))
    };
    let columns =
        (column("crop")?, column("channel")?, column("ids")?, column("mask_sum_intended")?);
    let mut crops: BTreeMap<&str, Vec<(Group, u64)>> = BTreeMap::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |index: usize| cells.get(index).copied().context("a line is too short");
        let ids = cell(columns.2)?.split_whitespace().collect::<Vec<_>>().join(",");
        let group = Group::new(cell(columns.1)?, Groups::parse_ids(&ids)?);
        let sum = cell(columns.3)?.parse().context("a sum is no number")?;
        crops.entry(cell(columns.0)?).or_default().push((group, sum));
    }
    let mut failures = 0;
    for (crop, expected) in crops {
        let path = folder.join("urocell.zarr").join(crop).join("all/s0");
        let labels = Arc::new(ZarrArray::open(path)?);
        let groups = Groups::new(expected.iter().map(|(group, _)| group.clone()).collect())?;
        let pair = MaskAndTarget::new(labels, &groups, &MaskOptions::default(), 0)?;
        let sums = channel_sums(pair.mask())?;
        for ((group, expected), sum) in expected.iter().zip(sums) {
            let verdict = if sum == *expected { "equal" } else { "DIFFERS" };
            println!("urocell {crop:<12} {:<6} {sum:>9} {expected:>9}  {verdict}", group.name);
            failures += usize::from(sum != *expected);
        }
    }
    Ok(failures)
}

/// The number of ones in each channel.
fn channel_sums(mask: &dyn Array) -> anyhow::Result<Vec<u64>> {
    let values = mask.read_as::<u8>(mask.roi())?;
    let sum = |channel: ndarray::ArrayViewD<'_, u8>| channel.iter().map(|&v| u64::from(v)).sum();
    Ok(values.outer_iter().map(sum).collect())
}

/// Compares the `count` of each label with its voxels, through one target channel for each.
fn counts(path: &Path, name: &str) -> anyhow::Result<usize> {
    let labels = Arc::new(ZarrArray::open(path)?);
    let list = annotation_mask::LabelList::from_attrs(labels.attrs())?;
    let list = list.with_context(|| format!("{name} has no labels"))?;
    let group =
        |entry: &annotation_mask::LabelEntry| Group::new(entry.value.to_string(), [entry.value]);
    let groups = Groups::new(list.entries().iter().map(group).collect())?;
    let pair = MaskAndTarget::new(Arc::clone(&labels), &groups, &MaskOptions::default(), 0)?;
    let whole = Window::full(labels.info().spatial_shape())?;
    let work = |window: &Window, ()| {
        let mut counts = None;
        pair.visit::<ArrayError>(window, |block| {
            counts = Some(block.counts);
            Ok(())
        })?;
        Ok::<_, ArrayError>(counts.unwrap_or_default())
    };
    let counts = fold_blocks(&whole, labels.info().blocks(), (), &work, &|a, b| a.merged(b))?;
    let counts = counts.unwrap_or_default();
    if list.entries().iter().all(|entry| entry.count.is_none()) {
        bail!("{name}: no label has a count to compare with");
    }
    let mut failures = 0;
    for (entry, positive) in list.entries().iter().zip(&counts.positive) {
        if entry.count.is_some_and(|count| count != *positive) {
            println!("{name}: label {} has {positive} voxels, not {:?}", entry.value, entry.count);
            failures += 1;
        }
    }
    println!(
        "{name}: {} labels in {} voxels, {failures} differ",
        list.entries().len(),
        counts.voxels
    );
    Ok(failures)
}
