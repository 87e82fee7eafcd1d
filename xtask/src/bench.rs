//! Runs the benchmarks and prints a table: time, throughput, and how far from the floor.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use serde::Deserialize;

/// Each benchmark with those whose sum is its floor.
const FLOORS: &[(&str, &[&str])] = &[
    ("mask", &["decode only", "write kept"]),
    ("mask into a buffer", &["decode only", "write kept into a buffer"]),
    ("factored mask", &["decode only", "write one"]),
    ("target", &["decode only", "write all"]),
    ("target into a buffer", &["decode only", "write all into a buffer"]),
    ("mask and target", &["decode only", "write kept", "write all"]),
    ("write mask and target", &["decode and encode only", "store only"]),
    ("write mask and target in shards", &["decode and encode only"]),
];

/// The same where every channel is written.
const CROP_FLOORS: &[(&str, &[&str])] = &[
    ("mask", &["decode only", "write all"]),
    ("target", &["decode only", "write all"]),
    ("mask and target", &["decode only", "write all twice"]),
];

/// What criterion writes about a benchmark.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    throughput: Option<Throughput>,
}

#[derive(Deserialize)]
struct Throughput {
    #[serde(rename = "Elements")]
    elements: Option<f64>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// A benchmark with its median in nanoseconds.
struct Measured {
    benchmark: Benchmark,
    median: f64,
}

/// Runs the benchmarks whose name holds `filter`.
///
/// # Errors
///
/// If a benchmark fails or what criterion wrote cannot be read.
pub(crate) fn run(filter: Option<&str>) -> anyhow::Result<()> {
    let begin = SystemTime::now();
    let mut arguments = vec!["bench", "--package", "benches", "--"];
    arguments.extend(["--warm-up-time", "0.5", "--measurement-time", "2"]);
    arguments.extend(filter);
    crate::cargo(&arguments, &[])?;
    let mut measured = Vec::new();
    collect(&crate::target().join("criterion"), begin, &mut measured)?;
    print(&measured);
    Ok(())
}

/// Finds the benchmarks that were measured since `begin`.
fn collect(folder: &Path, begin: SystemTime, found: &mut Vec<Measured>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths.iter().filter(|path| path.is_dir()) {
        let file = path.join("benchmark.json");
        if !path.ends_with("new") || !file.exists() {
            collect(path, begin, found)?;
        } else if fs::metadata(&file)?.modified()? >= begin {
            let benchmark = serde_json::from_slice(&fs::read(&file)?)?;
            let estimates: Estimates =
                serde_json::from_slice(&fs::read(path.join("estimates.json"))?)?;
            found.push(Measured { benchmark, median: estimates.median.point_estimate });
        }
    }
    Ok(())
}

fn print(measured: &[Measured]) {
    let medians: BTreeMap<_, f64> =
        measured.iter().map(|m| (key(&m.benchmark), m.median)).collect();
    println!("\n{:<58} {:>12} {:>12} {:>9}", "BENCHMARK", "MEDIAN", "MVOXEL/S", "X FLOOR");
    for one in measured {
        let (group, function, value) = key(&one.benchmark);
        let name = [&group, &function, &value].map(String::as_str).join("/");
        let elements = one.benchmark.throughput.as_ref().and_then(|t| t.elements);
        let rate = elements.map(|n| format!("{:.0}", n / one.median * 1e3)).unwrap_or_default();
        let floor = floor(&medians, &group, &function, &value);
        let ratio = floor.map(|floor| format!("{:.2}", one.median / floor)).unwrap_or_default();
        let name = name.trim_end_matches('/');
        println!("{name:<58} {:>12} {rate:>12} {ratio:>9}", duration(one.median));
    }
}

type Key = (String, String, String);

fn key(benchmark: &Benchmark) -> Key {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    (benchmark.group_id.clone(), text(&benchmark.function_id), text(&benchmark.value_str))
}

fn floor(medians: &BTreeMap<Key, f64>, group: &str, function: &str, value: &str) -> Option<f64> {
    let floors = if group.starts_with("cropgroup") { CROP_FLOORS } else { FLOORS };
    let (_, parts) = floors.iter().find(|(name, _)| *name == function)?;
    let mut sum = 0.0;
    for part in *parts {
        // Some do not depend on the number of channels.
        let key = |value: &str| (group.to_owned(), (*part).to_owned(), value.to_owned());
        let values = [value, "", "1"].into_iter();
        sum += values.filter_map(|value| medians.get(&key(value))).next()?;
    }
    Some(sum)
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.1} ns"),
        n if n < 1e6 => format!("{:.1} us", n / 1e3),
        n => format!("{:.1} ms", n / 1e6),
    }
}
