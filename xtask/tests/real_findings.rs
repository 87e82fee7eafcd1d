//! The checks on real crops find what is true of them.
//!
//! The crops are not part of the project: `VOXMASK_REAL` names the folder that holds `urocell.zarr` and
//! `urocell_state.csv`, the table of what was annotated where.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotation_mask::{
    CropClass, CropGroup, CropMaskAndTarget, CropReport, LabelReport, check_crop, check_labels,
};
use array_core::ArrayExt;
use zarr_source::{ZarrArray, ZarrGroup};

/// The folder, if the environment names one.
fn real() -> Option<PathBuf> {
    let folder = std::env::var_os("VOXMASK_REAL").map(PathBuf::from);
    if folder.is_none() {
        println!("VOXMASK_REAL names no folder of real crops: nothing was checked");
    }
    folder
}

/// A class and its voxels; none where it was not annotated.
type Class = (String, Option<u64>);

/// Each crop of the table with its classes.
fn state(folder: &Path) -> Vec<(String, Vec<Class>)> {
    let text = fs::read_to_string(folder.join("urocell_state.csv")).unwrap();
    let mut lines = text.lines();
    // The columns of the classes are called such as `golgi_40`.
    let header: Vec<&str> = lines.next().unwrap().split(',').skip(1).take(4).collect();
    let class = |(name, cell): (&&str, &str)| {
        let name = name.split_once('_').unwrap().0.to_owned();
        (name, cell.parse::<u64>().ok())
    };
    let line = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[0].to_owned(), header.iter().zip(cells[1..5].iter().copied()).map(class).collect())
    };
    let crops: Vec<_> = lines.map(line).collect();
    assert!(!crops.is_empty(), "the table has crops");
    crops
}

fn open_crop(path: &Path) -> Arc<CropGroup<ZarrArray>> {
    let group = ZarrGroup::open(path).unwrap();
    let names = group.groups().unwrap();
    let class = |name: &String| {
        let class = ZarrGroup::open(path.join(name)).unwrap();
        let array = ZarrArray::open(path.join(name).join("s0")).unwrap();
        CropClass::from_attrs(name.as_str(), array, class.attrs()).unwrap()
    };
    // `all` is the label volume beside the classes.
    let classes = names.iter().filter(|name| *name != "all").map(class).collect();
    Arc::new(CropGroup::new("crop", Arc::new(group.attrs().clone()), classes, None).unwrap())
}

fn subjects<'a>(findings: &'a [annotation_mask::Finding], code: &str) -> BTreeSet<&'a str> {
    let of_code = findings.iter().filter(|finding| finding.code == code);
    of_code.map(|finding| finding.subject.as_str()).collect()
}

#[test]
fn label_volumes_leave_out_the_classes_that_were_not_annotated() {
    let Some(folder) = real() else { return };
    for (crop, classes) in state(&folder) {
        let labels = ZarrArray::open(folder.join("urocell.zarr").join(&crop).join("all/s0"));
        let report: LabelReport = check_labels(&labels.unwrap(), None).unwrap();
        let named = |name: &str| {
            let found = report.labels.iter().find(|label| label.name.as_deref() == Some(name));
            found.unwrap().id.to_string()
        };
        let expected: BTreeSet<String> = classes
            .iter()
            .filter(|(_, voxels)| voxels.is_none())
            .map(|(name, _)| named(name))
            .collect();
        let found = subjects(&report.findings, "not-annotated");
        assert_eq!(found, expected.iter().map(String::as_str).collect(), "{crop}");
        // The counts of these volumes are right, and every id has a name.
        assert!(subjects(&report.findings, "count-differs").is_empty(), "{crop}");
        assert!(subjects(&report.findings, "unnamed-id").is_empty(), "{crop}");
    }
}

#[test]
fn crop_groups_have_the_voxels_of_their_table() {
    let Some(folder) = real() else { return };
    for (name, classes) in state(&folder) {
        let crop = open_crop(&folder.join("urocell.zarr").join(&name));
        let report: CropReport = check_crop(&crop).unwrap();
        let expected: BTreeSet<(&str, u64)> =
            classes.iter().filter_map(|(name, voxels)| Some((name.as_str(), (*voxels)?))).collect();

        let found: BTreeSet<(&str, u64)> =
            report.classes.iter().map(|class| (class.name.as_str(), class.present)).collect();
        assert_eq!(found, expected, "{name}");
        let errors =
            report.findings.iter().filter(|f| f.severity > annotation_mask::Severity::Info);
        assert_eq!(errors.count(), 0, "{name}: {:?}", report.findings);

        let pair = CropMaskAndTarget::new(crop.clone(), &crop.default_groups().unwrap()).unwrap();
        let sums = |values: ndarray::ArrayD<u8>| -> Vec<u64> {
            values.outer_iter().map(|c| c.iter().map(|&v| u64::from(v)).sum()).collect()
        };
        let names = crop.class_names().iter();
        let voxels = |name: &String| expected.iter().find(|(n, _)| n == name).unwrap().1;
        let (mask, target) = (pair.mask(), pair.target());
        let targets = sums(target.read_as::<u8>(target.roi()).unwrap());
        assert_eq!(targets, names.map(voxels).collect::<Vec<_>>(), "{name}");
        let known = sums(mask.read_as::<u8>(mask.roi()).unwrap());
        assert!(known.iter().all(|&known| known == report.voxels), "{name}");
    }
}
