//! Inputs to begin with, made of the recorded answers and of the containers that other software wrote.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::Value;

type Seeds = Vec<Vec<u8>>;

/// The seeds of a target, each once; `root` is the folder of the workspace.
pub(crate) fn of(target: &str, root: &Path) -> anyhow::Result<Seeds> {
    let golden = root.join("xtask/tests/golden");
    let tests = root.join("crates/zarr-source/tests");
    let seeds = match target {
        "arguments" => arguments(&root.join("crates/voxmask/src/args.rs"))?,
        "attributes" => attributes(&tests.join("conventions"), &golden.join("attrs.jsonl"))?,
        "chunks" => chunks(&tests.join("fixtures"))?,
        "class_table" => plain(CLASS_TABLES),
        "config" => config(&root.join("crates/array-config/tests/fixtures"))?,
        "documents" => {
            documents(&[tests.join("fixtures"), tests.join("conventions"), golden.join("crops")])?
        }
        "groups" => groups(&golden.join("labels.jsonl"))?,
        "labels" => labels(&golden.join("labels.jsonl"), &tests.join("conventions"))?,
        "regions" => regions(&golden.join("geometry.jsonl"))?,
        "request_keys" => plain(REQUEST_KEYS),
        "zip" => zips(&tests.join("zips"))?,
        _ => bail!("nobody says what the target {target:?} begins with"),
    };
    if seeds.is_empty() {
        bail!("the target {target:?} has nothing to begin with");
    }
    let unique: BTreeSet<Vec<u8>> = seeds.into_iter().collect();
    Ok(unique.into_iter().collect())
}

const CLASS_TABLES: &[&str] = &[
    "id,name,docs_name,long_name,kind,constituent_ids\n20,ne_mem,ne_mem,membrane,atomic,\n\
     21,ne_lum,ne_lum,lumen,atomic,\n52,ne,ne,nuclear envelope,group,20 21\n37,nuc,nuc,nucleus,group,52 21\n",
    "ne_mem,20,\"\"\nne_lum,21,\"\"\nne,52,\"20,21\"\nnuc,37,\"52,21\"\n",
    "field_name,class_id,ids included,long_name,challenge\nne_mem,20,,membrane,False\n\
     ne_lum,21,,lumen,False\nne,52,20-21,nuclear envelope,False\n",
    "class_name,class_id,constituent_ids\na,1,\nb,2,[1]\nc,3,1;2\n",
];

const REQUEST_KEYS: &[&str] = &[
    "/",
    "/healthz",
    "/zarr3/zarr.json",
    "/zarr3/mask/zarr.json",
    "/zarr3/mask/s1/zarr.json",
    "/zarr2/.zmetadata",
    "/zarr2/mask/s0/.zarray",
    "/zarr2/mask/s0/0/10/2",
    "/zarr3/mask/s0/c/0/1/2/3",
    "/v/1/a/b.js",
    "/events/1",
    "/zarr3/mask/../../etc/passwd",
    "/zarr3/%2e%2e/zarr.json",
];

const REGIONS: &[&str] = &[
    "13282.29:13284.91,0:400",
    "13.28229:13.28491, 0:0.4 um",
    "[0:8.5, 16:32, :] nm",
    "1.5um:2um",
    "-8:8,0:4,0:1e3",
    "2.62 nm",
    "9223372036854775807",
    "1e-18",
    "micrometer",
    "(12, None, -4)",
    r#"{"offset": [12, null], "shape": [21, null]}"#,
];

const GROUPS: &[&str] = &[
    "t[[group]]\nname = \"nucleus\"\nids = [20, 24, 28, 37]\ngeneric_ids = [37]\n",
    "t[[group]]\nname = \"mito\"\nclasses = [\"mito_mem\", \"mito_lum\"]\n",
    "t[[group]]\nname = \"mito\"\nids = [\"mito\", 3]\n",
    "j[[\"mito\", [3, 4, 5]], [\"er\", [16, 17]]]",
    "j{\"mito\": [3, 4, 5], \"er\": [\"er_mem\"]}",
    "j[{\"name\": \"nucleus\", \"ids\": [20, 37], \"generic_ids\": [37], \"classes\": [\"nuc\"]}]",
    "amito=3,4,5",
    "aer=er_mem,er_lum",
    "aempty=",
];

const CONFIGS: &[&str] = &[
    "tkind = \"mask\"\nrule = \"generic\"\ngroups = [{name = \"mito\", ids = [3, 4, 5]}, \
     {name = \"nucleus\", ids = [20, 37], generic_ids = [37]}]\n[source]\nkind = \"crop\"\n\
     roi = \"[0:8, 8:16, 16:32] nm\"\nsource = {kind = \"zarr\", path = \"crop.zarr/labels\"}\n",
    "tkind = \"resample\"\ndownsample = [2, 2, 2]\nmethod = \"mode\"\nalign_to_world = true\n\
     source = {kind = \"zarr\", path = \"a.zarr\", unit = \"nm\", voxel_size = [2.62, 2, 2], offset = [0, 0, 0.5]}\n",
    "tkind = \"resample\"\nupsample = [2, 1, 1]\nmethod = \"nearest\"\n\
     source = {kind = \"zarr\", path = \"a.zarr\", translation = \"centre\", snap_to_grid = [8, 8, 8]}\n",
    "j{\"kind\": \"concat\", \"names\": [\"a\", \"b\"], \"sources\": [{\"kind\": \"ones\", \"source\": \
     {\"kind\": \"zarr\", \"path\": \"a.zarr\"}}, {\"kind\": \"constant\", \"value\": 3, \"dtype\": \"uint8\", \
     \"source\": {\"kind\": \"zarr\", \"path\": \"a.zarr\"}}]}",
    "j{\"kind\": \"sum\", \"sources\": [{\"kind\": \"zarr\", \"path\": \"a.zarr\"}, {\"kind\": \"zarr\", \
     \"path\": \"a.zarr\"}]}",
    "j{\"kind\": \"logical_or\", \"source\": {\"kind\": \"binarize\", \"background\": 0, \"groups\": \
     {\"mito\": [3, 4]}, \"source\": {\"kind\": \"zarr\", \"path\": \"data.zarr\", \"dataset\": \"raw\"}}}",
    "ykind: crop_group\npath: crop.zarr\nwhat: target\nclasses: classes.csv\ngroups:\n  mito: [mito, 3]\n",
    "y__type__: MissingAnnotationsMaskConfig\nname: mask\nsource_array_config: &labels\n  \
     __type__: ZarrArrayConfig\n  name: labels\n  file_name: crop.zarr\n  dataset: labels\n\
     groupings:\n- [mito, [3, 4]]\n- [er, [16]]\n",
    "y__type__: ResampledArrayConfig\nname: r\nupsample: [1, 1, 1]\ndownsample: [2, 2, 2]\ninterp_order: 0\n\
     source_array_config:\n  __type__: CropArrayConfig\n  name: c\n  roi:\n    offset: [0, 8, 16]\n    \
     shape: [8, 8, 8]\n  source_array_config: {__type__: ZarrArrayConfig, name: a, file_name: a.zarr, \
     dataset: '', snap_to_grid: [4, 4, 4]}\n",
];

/// Options that no example uses.
const ARGUMENTS: &[&str] = &[
    "mask\na.zarr\n-o\nb.zarr\n--zarr-format\nn5\n--chunks\n64,64,64\n--codec\nzstd:5\n--mask-levels\nmean",
    "mask\na.zarr\n-o\nb.zarr\n--voxel-size\n2.62,2,2\n--offset\n-1,0,0\n--unit\nnm\n--translation\ncentre",
    "mask\na.zarr\n-o\nb.zarr\n--unit-voxels\n--background\n-1\n--require-labels\n--overwrite\n--json\n-vv",
    "inspect\na.zarr\n--endpoint\nhttp://127.0.0.1:9000\n--region\neu\n--anonymous\n--timeout\n3\n--retries\n2",
    "serve\na.zarr\n--bind\n::1\n--port\n1\n--cache\n2 GiB\n--raw\nb.zarr\n--quiet",
    "mask\n--help",
    "--version",
];

fn plain(texts: &[&str]) -> Seeds {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("reading {}", file.display()))
}

fn text(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))
}

/// The values in the lines of a file.
fn lines(file: &Path) -> anyhow::Result<Vec<Value>> {
    let text = text(file)?;
    let values = text.lines().map(serde_json::from_str);
    values.collect::<Result<_, _>>().with_context(|| format!("reading {}", file.display()))
}

/// All files below a folder, in the order of their names.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry.with_context(|| format!("reading {}", folder.display()))?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// The examples in the help of the command, one argument in each line.
fn arguments(code: &Path) -> anyhow::Result<Seeds> {
    let text = text(code)?.replace("\\\\\n", " ");
    let examples = text.lines().filter_map(|line| line.trim().strip_prefix("voxmask "));
    let split = |line: &str| {
        let words = line.split_whitespace().take_while(|word| *word != "|");
        words.map(|word| word.trim_matches('\'')).collect::<Vec<_>>().join("\n").into_bytes()
    };
    Ok(examples.map(split).chain(plain(ARGUMENTS)).collect())
}

/// Each format, and how a seed says that an array in it has three axes, or four.
fn form(path: &Path, document: &[u8]) -> u8 {
    let is_n5 = name(path) == "attributes.json";
    let document: Value = serde_json::from_slice(document).unwrap_or_default();
    let shape = if is_n5 { &document["dimensions"] } else { &document["shape"] };
    let has_channels = shape.as_array().is_some_and(|shape| shape.len() > 3);
    match (is_n5, name(path) == "zarr.json") {
        (true, _) => {
            if has_channels {
                b'n'
            } else {
                b'N'
            }
        }
        (_, true) => {
            if has_channels {
                b'c'
            } else {
                b'C'
            }
        }
        _ => {
            if has_channels {
                b'a'
            } else {
                b'A'
            }
        }
    }
}

/// The attributes of a container, of the group of an array, and of the array.
fn attributes(conventions: &Path, golden: &Path) -> anyhow::Result<Seeds> {
    let mut seeds = Seeds::new();
    let attrs_in = |folder: &Path| -> String {
        if let Ok(text) = fs::read_to_string(folder.join(".zattrs")) {
            return text;
        }
        if let Ok(text) = fs::read_to_string(folder.join("attributes.json")) {
            return text;
        }
        let document = fs::read(folder.join("zarr.json")).unwrap_or_default();
        let document: Value = serde_json::from_slice(&document).unwrap_or_default();
        document.get("attributes").map(Value::to_string).unwrap_or_default()
    };
    for file in files(conventions)? {
        if !matches!(name(&file), ".zarray" | "zarr.json" | "attributes.json") {
            continue;
        }
        let mut seed = vec![form(&file, &read(&file)?)];
        let mut folders: Vec<&Path> = file.ancestors().skip(1).take(3).collect();
        folders.reverse();
        let texts: Vec<String> = folders.into_iter().map(attrs_in).collect();
        seed.extend(texts.join("\0").into_bytes());
        seeds.push(seed);
    }
    for case in lines(golden)? {
        let part = |key: &str| match &case[key] {
            Value::Null => String::new(),
            attrs => attrs.to_string(),
        };
        let texts = ["root_attrs", "parent_attrs", "attrs"].map(part);
        seeds.push(format!("A{}", texts.join("\0")).into_bytes());
    }
    Ok(seeds)
}

/// The first chunk of each array, behind the place of the array among all of them.
fn chunks(fixtures: &Path) -> anyhow::Result<Seeds> {
    let mut arrays = Vec::new();
    for folder in [fixtures.to_owned(), fixtures.join("n5")] {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        for entry in entries {
            let array =
                entry.with_context(|| format!("reading {}", folder.display()))?.path().join("s0");
            if array.is_dir() {
                arrays.push(array);
            }
        }
    }
    arrays.sort();
    let mut seeds = Seeds::new();
    for array in arrays {
        let is_chunk =
            |file: &PathBuf| !name(file).starts_with(".z") && !name(file).ends_with(".json");
        if let Some(chunk) = files(&array)?.into_iter().find(is_chunk) {
            let index = u8::try_from(seeds.len()).context("there are too many arrays")?;
            let mut seed = vec![index];
            seed.extend(read(&chunk)?);
            seeds.push(seed);
        }
    }
    Ok(seeds)
}

fn config(fixtures: &Path) -> anyhow::Result<Seeds> {
    let mut seeds = plain(CONFIGS);
    for file in files(fixtures)? {
        let form = match file.extension().and_then(|extension| extension.to_str()) {
            Some("json") => "j",
            Some("yaml") => "y",
            _ => continue,
        };
        seeds.push([form.as_bytes(), &read(&file)?].concat());
    }
    Ok(seeds)
}

/// Each metadata document, and behind a NUL the attributes beside it.
fn documents(folders: &[PathBuf]) -> anyhow::Result<Seeds> {
    let mut seeds = Seeds::new();
    for folder in folders {
        for file in files(folder)? {
            let form = match name(&file) {
                ".zarray" => b'2',
                ".zgroup" => b'g',
                "zarr.json" => b'3',
                "attributes.json" => b'n',
                _ => continue,
            };
            let mut seed = vec![form];
            seed.extend(read(&file)?);
            let beside = file.with_file_name(".zattrs");
            if beside.is_file() {
                seed.push(0);
                seed.extend(read(&beside)?);
            }
            seeds.push(seed);
        }
    }
    Ok(seeds)
}

fn groups(golden: &Path) -> anyhow::Result<Seeds> {
    let mut seeds = plain(GROUPS);
    for case in lines(golden)? {
        seeds.push(format!("j{}", case["groupings"]).into_bytes());
    }
    Ok(seeds)
}

fn labels(golden: &Path, conventions: &Path) -> anyhow::Result<Seeds> {
    let mut seeds = Seeds::new();
    for case in lines(golden)? {
        seeds.push(serde_json::json!({ "labels": case["labels"] }).to_string().into_bytes());
    }
    for file in files(conventions)? {
        if name(&file) != ".zattrs" {
            continue;
        }
        let attrs = text(&file)?;
        if attrs.contains("labels") || attrs.contains("annotation") {
            // Of an array whose group says the same, and of a group alone.
            seeds.push(format!("{attrs}\0{attrs}").into_bytes());
            seeds.push(format!("{{}}\0{attrs}").into_bytes());
        }
    }
    Ok(seeds)
}

/// What the original prints of regions, and how it takes them apart.
fn regions(golden: &Path) -> anyhow::Result<Seeds> {
    let mut seeds = plain(REGIONS);
    for case in lines(golden)? {
        let printed = case["r"].as_str().filter(|_| case["op"] == "roi.str");
        seeds.extend(printed.map(|text| text.as_bytes().to_vec()));
        if case["op"] == "roi.new" && case["a"].is_object() {
            let parts = serde_json::json!({"offset": case["a"]["o"], "shape": case["a"]["s"]});
            seeds.push(parts.to_string().into_bytes());
        }
    }
    Ok(seeds)
}

fn zips(folder: &Path) -> anyhow::Result<Seeds> {
    let is_zip = |file: &PathBuf| name(file).ends_with(".zip");
    files(folder)?.iter().filter(|file| is_zip(file)).map(|file| read(file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_begins_with_something_that_fits_into_it() {
        for (target, longest) in crate::fuzz::native::TARGETS {
            let seeds = of(target, &crate::root()).unwrap();
            assert!(seeds.len() >= 4, "{target}");
            let fitting = seeds.iter().filter(|seed| seed.len() <= *longest).count();
            assert!(fitting * 10 >= seeds.len() * 9, "{target}: {fitting} of {}", seeds.len());
        }
    }
}
