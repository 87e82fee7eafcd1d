//! What a run does: everything that the bytes it writes depend on.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use annotation_mask::GroundTruth;
use serde_json::{Map, Value, json};
use zarr_source::{Compression, ZarrFormat};

use crate::options::WriteOptions;
use crate::plan::Plan;

/// The attribute of the container that tells how it was made.
pub(crate) const ATTRIBUTE: &str = "voxmask";
/// What the attribute says beside the job.
const RESULTS: [&str; 2] = ["counts", "channels"];
/// How many differences are told.
const MAX_DIFFERENCES: usize = 4;

/// The job as JSON, so that it can be compared with one that was written down.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Job(Map<String, Value>);

impl Job {
    pub(crate) fn new(pair: &dyn GroundTruth, plan: &Plan, options: &WriteOptions<'_>) -> Self {
        let info = pair.info();
        let mut job = provenance(pair, options);
        let mut written = Map::new();
        let mut say = |key: &str, value: Value| written.insert(key.to_owned(), value);
        say("zarr_format", json!(format_name(options.zarr_format)));
        say("chunk_shape", json!(plan.chunk_shape));
        say("shard_shape", json!(plan.shard_shape));
        say("compression", json!(compression_name(options.compression)));
        say("targets", json!(options.targets));
        say("levels", json!(options.levels));
        if options.levels > 1 {
            say("mask_levels", json!(options.mask_levels.name()));
            if options.targets {
                say("target_levels", json!(options.target_levels.name()));
            }
        }
        let kept: Value = pair.channels().iter().map(|channel| json!(channel.kept)).collect();
        job.insert("shape".to_owned(), json!(info.shape()));
        job.insert("kept".to_owned(), kept);
        job.insert("written".to_owned(), Value::Object(written));
        Self(job)
    }

    /// The job that an object tells, among other things.
    pub(crate) fn from_json(object: &Map<String, Value>) -> Self {
        let job = object.iter().filter(|(key, _)| !RESULTS.contains(&key.as_str()));
        Self(job.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    pub(crate) fn to_json(&self) -> Map<String, Value> {
        self.0.clone()
    }

    /// In what this job differs from an earlier one, in words; none if it is the same.
    pub(crate) fn differences(&self, earlier: &Self) -> Option<String> {
        let (mut now, mut before) = (BTreeMap::new(), BTreeMap::new());
        flatten("", &Value::Object(self.0.clone()), &mut now);
        flatten("", &Value::Object(earlier.0.clone()), &mut before);
        let mut keys: Vec<&String> = now.keys().chain(before.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| now.get(*key) != before.get(*key));
        let (first, rest) = keys.split_at(keys.len().min(MAX_DIFFERENCES));
        let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
        let mut told: Vec<String> = first
            .iter()
            .map(|key| format!("{key} was {}, now {}", text(before.get(*key)), text(now.get(*key))))
            .collect();
        let last = told.last_mut()?;
        if !rest.is_empty() {
            // Writing to a string does not fail.
            let _ = write!(last, ", and {} more", rest.len());
        }
        Some(told.join("; "))
    }
}

/// What the container and each image in it tell, before anything is counted.
pub(crate) fn provenance(pair: &dyn GroundTruth, options: &WriteOptions<'_>) -> Map<String, Value> {
    let info = pair.info();
    let mut told = Map::new();
    told.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    told.extend(options.provenance.clone());
    told.insert("region".to_owned(), json!(info.unit().format_roi(info.roi())));
    told
}

/// Each value in an object by the way to it. Lists are values.
fn flatten(path: &str, value: &Value, all: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(&format!("{path}{dot}{key}"), value, all);
            }
        }
        value => {
            all.insert(path.to_owned(), value.clone());
        }
    }
}

fn format_name(format: ZarrFormat) -> &'static str {
    match format {
        ZarrFormat::V2 => "2",
        ZarrFormat::V3 => "3",
        ZarrFormat::N5 => "n5",
    }
}

fn compression_name(compression: Compression) -> String {
    match compression {
        Compression::None => "none".to_owned(),
        Compression::Zstd { level } => format!("zstd:{level}"),
        Compression::BloscLz4 { level } => format!("blosc-lz4:{level}"),
        Compression::Gzip { level } => format!("gzip:{level}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(value: Value) -> Job {
        Job::from_json(value.as_object().unwrap())
    }

    #[test]
    fn differences_are_told_by_name_and_with_both_values() {
        let before =
            job(json!({"rule": "strict", "written": {"levels": 1, "chunk_shape": [4, 4]}}));
        let now = job(json!({"rule": "generic", "written": {"levels": 1, "chunk_shape": [4, 8]}}));
        assert_eq!(
            now.differences(&before).unwrap(),
            "rule was \"strict\", now \"generic\"; written.chunk_shape was [4,4], now [4,8]"
        );
        assert_eq!(now.differences(&now), None);
    }

    #[test]
    fn what_was_counted_is_no_part_of_the_job() {
        let with = job(json!({"rule": "strict", "counts": {"voxels": 7}, "channels": []}));
        assert_eq!(with, job(json!({"rule": "strict"})));
    }
}
