//! Groups files and the option `--group`, and what the names in them stand for.

#![no_main]

use std::sync::LazyLock;

use annotation_mask::{ClassTable, Grouping, Groups, LabelList};
use fuzz::{tell, text};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

static TABLE: LazyLock<ClassTable> = LazyLock::new(|| {
    let csv =
        "name,id,constituent_ids\nmito_mem,3,\nmito_lum,4,\nmito_ribo,5,\nmito,50,\"3,4,5\"\n";
    ClassTable::from_csv(csv).expect("the table is right")
});
static LABELS: LazyLock<LabelList> = LazyLock::new(|| {
    let labels = json!([{"value": 3, "name": {"short": "MM", "long": "Mito membrane"},
        "annotationState": {"present": true, "annotated": "dense"}}]);
    LabelList::parse(&labels).expect("the labels are right")
});

fuzz_target!(|data: &[u8]| {
    let Some((form, text)) = text(data) else { return };
    let grouping = match form {
        b't' => Grouping::from_toml(text),
        b'j' => Grouping::from_json(text),
        _ => Grouping::parse_group(text).map(|group| Grouping::from(vec![group])),
    };
    let groups = match form {
        b't' => Groups::from_toml(text),
        b'j' => Groups::from_json(text),
        _ => Groups::parse_ids(text)
            .and_then(|_| Groups::parse_group(text))
            .and_then(|group| Groups::new(vec![group])),
    };
    if let Err(error) = groups {
        tell(&error);
    }
    let grouping = match grouping {
        Ok(grouping) => grouping,
        Err(error) => return tell(&error),
    };
    for (table, labels) in [
        (None, None),
        (Some(&*TABLE), None),
        (None, Some(&*LABELS)),
        (Some(&*TABLE), Some(&*LABELS)),
    ] {
        match grouping.resolve_labels(table, labels) {
            Ok(groups) => assert_eq!(groups.len(), grouping.as_slice().len()),
            Err(error) => tell(&error),
        }
        match grouping.resolve_classes(table, &["mito", "er_mem", "er_lum"]) {
            Ok(groups) => assert_eq!(groups.names().len(), grouping.as_slice().len()),
            Err(error) => tell(&error),
        }
    }
});
