//! What is wrong is refused by name, and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use common::{
    Crop, GROUPS_TOML, IDS, Sandbox, assert_refusal, chunk_files, entries, json_file, labels,
    typed, v2_by_hand, write_json,
};
use serde_json::{Value, json};
use zarr_source::{Compression, ZarrFormat};

const LABELS: &str = "crop.zarr/all/s0";
const SIZE: &str = "voxel_size";

/// A crop of 10 x 12 x 9 voxels in nm, from [80, 0, -40] in voxels of 8 x 4 x 4.
fn crop(compression: Compression) -> Sandbox {
    let sandbox = Sandbox::new();
    let crop = Crop { compression, ..Crop::default() };
    crop.store(&sandbox.path("crop.zarr"), &typed::<u8>(&labels(&[10, 12, 9], &IDS)));
    sandbox
}

/// Everything that reads voxels refuses the source: masks with and without a region, and pictures.
#[track_caller]
fn unreadable(sandbox: &Sandbox, source: &str, needles: &[&str]) {
    let mask = ["mask", source, "--group", "a=3", "-o", "out.zarr"];
    sandbox.refuses(&mask, 1, needles);
    sandbox.refuses(&[&mask[..], &["--targets", "--json", "--overwrite"]].concat(), 1, needles);
    sandbox.refuses(&["preview", source, "--group", "a=3", "-o", "p.png"], 1, needles);
}

/// Nothing can be done with the source at all.
#[track_caller]
fn unusable(sandbox: &Sandbox, source: &str, needles: &[&str]) {
    unreadable(sandbox, source, needles);
    sandbox.refuses(&["inspect", source], 1, needles);
    sandbox.refuses(&["inspect", source, "--json"], 1, needles);
}

/// `voxmask mask` refuses these arguments.
#[track_caller]
fn mask_refuses(sandbox: &Sandbox, args: &[&str], code: i32, needles: &[&str]) {
    sandbox.refuses(&[&["mask", LABELS, "-o", "out.zarr"], args].concat(), code, needles);
}

fn name_of(chunk: &Path, array: &Path) -> String {
    chunk.strip_prefix(array).unwrap().to_string_lossy().replace('\\', "/")
}

/// The chunk in the middle of the crop, which every slice and every mask needs.
fn middle_chunk(sandbox: &Sandbox) -> (PathBuf, String) {
    let array = sandbox.path(LABELS);
    let chunk = array.join("1/1/1");
    assert!(chunk_files(&array).contains(&chunk));
    let name = name_of(&chunk, &array);
    (chunk, name)
}

#[test]
fn a_truncated_chunk_is_refused_by_name() {
    for compression in [Compression::None, Compression::default()] {
        let sandbox = crop(compression);
        let (chunk, name) = middle_chunk(&sandbox);
        let bytes = fs::read(&chunk).unwrap();
        for kept in [bytes.len() - 1, bytes.len() / 2, 1, 0] {
            fs::write(&chunk, &bytes[..kept]).unwrap();
            unreadable(&sandbox, LABELS, &[LABELS, &name, "corrupt"]);
        }
        // What does not need the chunk works.
        sandbox.succeeds(&["inspect", LABELS]);
        let roi = ["--roi", "80:112,0:20,-40:-24"];
        let args = ["mask", LABELS, "--group", "a=3", "-o", "out.zarr"];
        sandbox.succeeds(&[&args[..], &roi].concat());
    }
}

#[test]
fn a_chunk_with_too_many_bytes_is_refused_by_name() {
    let sandbox = crop(Compression::None);
    let (chunk, name) = middle_chunk(&sandbox);
    let mut bytes = fs::read(&chunk).unwrap();
    bytes.push(0);
    fs::write(&chunk, bytes).unwrap();
    unreadable(&sandbox, LABELS, &[LABELS, &name, "corrupt"]);
}

#[test]
fn a_bit_flipped_in_a_chunk_is_refused_by_name() {
    let sandbox = Sandbox::new();
    let voxels: Vec<u8> = (0..=255).cycle().take(16 * 16 * 16).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&voxels).unwrap();
    let chunk = encoder.finish().unwrap();
    let zarray = json!({
        "shape": [16, 16, 16], "chunks": [16, 16, 16], "dtype": "|u1",
        "compressor": {"id": "gzip", "level": 1},
    });
    let array = sandbox.path("a.zarr");
    v2_by_hand(&array, &zarray, &json!({SIZE: [1, 1, 1]}), &[("0.0.0", chunk.clone())]);
    let found = sandbox.json(&["mask", "a.zarr", "--group", "a=3", "--json", "-o", "good.zarr"]);
    assert_eq!(found["channels"][0]["positive"], 16);
    // In the compressed data, in the checksum, and in the length behind it.
    for place in [chunk.len() / 2, chunk.len() - 6, chunk.len() - 1] {
        let mut flipped = chunk.clone();
        flipped[place] ^= 4;
        fs::write(array.join("0.0.0"), flipped).unwrap();
        unreadable(&sandbox, "a.zarr", &["a.zarr", "0.0.0", "corrupt"]);
    }
}

#[test]
fn a_corrupt_chunk_leaves_an_output_to_be_replaced_as_it_was() {
    let sandbox = crop(Compression::default());
    sandbox.succeeds(&["mask", LABELS, "--group", "a=3", "-o", "out.zarr"]);
    fs::write(middle_chunk(&sandbox).0, b"garbage").unwrap();
    mask_refuses(&sandbox, &["--group", "a=4", "--overwrite"], 1, &["corrupt"]);
}

#[test]
fn a_chunk_that_is_a_folder_is_refused_by_name() {
    let sandbox = crop(Compression::default());
    let (chunk, _) = middle_chunk(&sandbox);
    fs::remove_file(&chunk).unwrap();
    fs::create_dir(&chunk).unwrap();
    unreadable(&sandbox, LABELS, &["crop.zarr/all/s0/1/1/1"]);
}

#[test]
fn broken_metadata_is_refused_with_the_name_of_the_file() {
    let sandbox = crop(Compression::default());
    for text in ["{\"zarr_format\": 2, \"shape\"", "", "[]", "null", "\u{0}\u{1}"] {
        sandbox.write("crop.zarr/all/s0/.zarray", text);
        unusable(&sandbox, LABELS, &[".zarray"]);
    }
    fs::write(sandbox.path("crop.zarr/all/s0/.zarray"), [0xff, 0xfe, 0x00]).unwrap();
    unusable(&sandbox, LABELS, &[".zarray"]);

    let sandbox = crop(Compression::default());
    sandbox.write("crop.zarr/all/s0/.zattrs", "{\"labels\": [");
    unusable(&sandbox, LABELS, &[".zattrs"]);

    let sandbox = Sandbox::new();
    let crop = Crop { format: ZarrFormat::V3, ..Crop::default() };
    crop.store(&sandbox.path("crop.zarr"), &typed::<u8>(&labels(&[4, 4, 4], &IDS)));
    let file = sandbox.path("crop.zarr/all/s0/zarr.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, &text[..text.len() / 2]).unwrap();
    unusable(&sandbox, LABELS, &["zarr.json"]);
}

#[test]
fn metadata_that_cannot_be_meant_is_refused_with_the_key() {
    let sandbox = Sandbox::new();
    let array = sandbox.path("a.zarr");
    for (key, value, needle) in [
        ("shape", json!([2, -3, 4]), "shape"),
        ("shape", json!("2x3x4"), "shape"),
        ("chunks", json!([0, 3, 4]), "chunk"),
        ("chunks", json!([2, 3]), "chunk"),
        ("dtype", json!("|V7"), "|V7"),
        ("dtype", json!("<c16"), "<c16"),
        ("compressor", json!({"id": "middle-out"}), "middle-out"),
        ("filters", json!([{"id": "delta", "dtype": "<u1"}]), "delta"),
        ("order", json!("Z"), "order"),
        ("zarr_format", json!(7), "7"),
    ] {
        let mut zarray = json!({"shape": [2, 3, 4], "chunks": [2, 3, 4], "dtype": "|u1"});
        zarray[key] = value;
        v2_by_hand(&array, &zarray, &json!({SIZE: [1, 1, 1]}), &[]);
        unusable(&sandbox, "a.zarr", &["a.zarr", needle]);
    }
}

#[test]
fn geometry_that_cannot_be_meant_is_refused_by_name() {
    let sandbox = Sandbox::new();
    let zarray = json!({"shape": [2, 3, 4], "chunks": [2, 3, 4], "dtype": "|u1"});
    for (attrs, needle) in [
        (json!({SIZE: [0, 1, 1]}), "voxel_size"),
        (json!({SIZE: [-4, 1, 1]}), "voxel_size"),
        (json!({SIZE: [1, 1, 1, 1]}), "voxel_size"),
        (json!({SIZE: "nanometers"}), "voxel_size"),
        (json!({SIZE: [1, 1, 1], "offset": [0, null, 0]}), "offset"),
        (json!({SIZE: [1, 1, 1], "offset": [1e300, 0, 0]}), "offset"),
    ] {
        v2_by_hand(&sandbox.path("a.zarr"), &zarray, &attrs, &[]);
        unusable(&sandbox, "a.zarr", &["a.zarr", needle]);
    }
}

#[test]
fn a_source_that_is_not_there_is_refused_with_what_is_there() {
    let sandbox = crop(Compression::default());
    unusable(&sandbox, "crop.zarr/all/s7", &["crop.zarr/all/s7", "does not exist", "s0"]);
    unusable(&sandbox, "nowhere.zarr/a", &["nowhere.zarr/a", "does not exist"]);
    sandbox.refuses(&["inspect", ""], 2, &["<SRC>"]);
}

#[test]
fn a_group_or_a_folder_or_a_file_is_no_array() {
    let sandbox = crop(Compression::default());
    unreadable(&sandbox, "crop.zarr", &["crop.zarr", "neither a label array nor a crop", "all"]);
    fs::create_dir(sandbox.path("photos")).unwrap();
    sandbox.write("photos/cat.txt", "a cat");
    unusable(&sandbox, "photos", &["photos", "not a Zarr array", "folder"]);
    unusable(&sandbox, "photos/cat.txt", &["cat.txt", "not a Zarr array"]);
}

#[test]
fn a_region_that_cannot_be_cut_is_refused_with_what_could() {
    let sandbox = crop(Compression::default());
    let whole = "[80:160, 0:48, -40:-4] nm";
    let refuses = |roi: &str, code: i32, needles: &[&str]| {
        let args = ["--group", "a=3", "--roi", roi];
        mask_refuses(&sandbox, &args, code, &[&["--roi", roi], needles].concat());
    };
    for outside in ["72:160,0:48,-40:-4", "80:168,0:48,-40:-4", "0:8,0:4,0:4", "80:88,0:4,-4:0"] {
        refuses(outside, 1, &["is not inside", whole, "8 x 4 x 4"]);
    }
    for unaligned in ["81:89,0:4,-40:-36", "80:84,0:4,-40:-36"] {
        refuses(unaligned, 1, &[whole, "8 x 4 x 4"]);
    }
    refuses("80:88,2:6,-40:-36", 1, &["not aligned", whole, "8 x 4 x 4"]);
    refuses("80:88,0:4,-40:-36.5", 2, &["-36.5 is not a multiple of the world unit"]);
    refuses("80:88,0:4", 1, &["dims", whole]);
    refuses("80:88,0:4,-40:-36,0:1", 1, &["dims", whole]);
    refuses("88:80,0:4,-40:-36", 2, &["negative"]);
    refuses("80:88,0:4,-36:-40", 2, &["negative"]);
    for malformed in ["abc", "80-88,0-4,0-4", "80:88;0:4;0:4", "80:x,0:4,0:4", "[80:88,0:4,0:4"] {
        refuses(malformed, 2, &["is not a "]);
    }
    refuses("80:88,0:4,-40:-36 parsec", 2, &["parsec", "is not a "]);
    refuses("99999999999999999999:99999999999999999999,0:4,-40:-36", 2, &["64 bits"]);
    refuses(":,0:4,-40:-36", 1, &["--roi"]);
}

#[test]
fn an_output_among_the_chunks_of_the_labels_is_refused() {
    let sandbox = crop(Compression::default());
    for name in ["9", "out.zarr", "../s0/out.zarr"] {
        let output = format!("{LABELS}/{name}");
        let args = ["mask", LABELS, "--group", "a=3", "-o", &output];
        sandbox.refuses(&args, 1, &[&output, "inside the label array"]);
    }
}

#[test]
fn a_picture_replaces_nothing_but_a_picture() {
    let sandbox = crop(Compression::default());
    sandbox.write("notes.txt", "what I found");
    let chunk = format!("{LABELS}/1/1/1");
    for output in ["notes.txt", &chunk, "crop.zarr"] {
        let args = ["preview", LABELS, "--group", "a=3", "-o", output, "--overwrite"];
        sandbox.refuses(&args, 1, &[output, "no PNG"]);
    }
}

#[test]
fn an_error_in_a_volume_of_many_chunks_ends_the_work() {
    let sandbox = Sandbox::new();
    let zarray =
        json!({"shape": [1_u64 << 16, 1024, 1024], "chunks": [64, 64, 64], "dtype": "|u1"});
    let attrs = json!({"voxel_size": [4, 4, 4]});
    let corrupt = [("0.0.0", vec![1, 2, 3])];
    v2_by_hand(&sandbox.path("crop.zarr"), &zarray, &attrs, &corrupt);
    let args = ["mask", "crop.zarr", "--group", "a=1", "-o", "out.zarr"];
    let run = sandbox.run(&args);
    assert_refusal(&run, 1, &["0.0.0", "corrupt"], "a volume of many chunks");
    // Other threads may have finished a block before the error, which leaves a run to resume, and no output.
    assert!(!sandbox.path("out.zarr").exists());
}

#[test]
fn more_chunks_than_anybody_can_work_through_are_refused_by_their_number() {
    let sandbox = Sandbox::new();
    let zarray =
        json!({"shape": [1_u64 << 40, 1024, 1024], "chunks": [64, 64, 64], "dtype": "|u1"});
    v2_by_hand(&sandbox.path("crop.zarr"), &zarray, &json!({"voxel_size": [4, 4, 4]}), &[]);
    let told = ["4398046511104 blocks of [64, 64, 64] voxels"];
    for args in [
        &["mask", "crop.zarr", "--group", "a=1", "-o", "out.zarr"][..],
        &["mask", "crop.zarr", "--group", "a=1", "-o", "out.zarr", "--chunks", "512"],
        &["sample", "crop.zarr", "--group", "a=1", "--shape", "2097152,1024,1024"],
    ] {
        sandbox.refuses(args, 1, &told);
    }
    let run = sandbox.run(&["check", "crop.zarr"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains(told[0]), "{}", run.stdout);
}

#[test]
fn an_empty_region_is_refused() {
    let sandbox = crop(Compression::default());
    let args = ["--group", "a=3", "--roi", "80:88,4:4,-40:-36"];
    mask_refuses(&sandbox, &args, 1, &["--roi", "80:88,4:4,-40:-36"]);
}

#[test]
fn a_source_with_channels_is_refused() {
    let sandbox = crop(Compression::default());
    sandbox.succeeds(&["mask", LABELS, "--group", "a=3", "-o", "masks.zarr"]);
    unreadable(&sandbox, "masks.zarr/mask/s0", &["\"c\"", "channel"]);
    sandbox.succeeds(&["inspect", "masks.zarr/mask/s0"]);
}

#[test]
fn labels_that_are_no_integers_are_refused() {
    let sandbox = Sandbox::new();
    for dtype in ["<f4", "<f8"] {
        let zarray = json!({"shape": [2, 3, 4], "chunks": [2, 3, 4], "dtype": dtype});
        v2_by_hand(&sandbox.path("a.zarr"), &zarray, &json!({SIZE: [1, 1, 1]}), &[]);
        let name = if dtype == "<f4" { "float32" } else { "float64" };
        unreadable(&sandbox, "a.zarr", &[name, "cannot be labels"]);
        sandbox.succeeds(&["inspect", "a.zarr"]);
    }
}

#[test]
fn an_output_that_cannot_be_written_is_refused_by_name() {
    let sandbox = crop(Compression::default());
    sandbox.write("file", "mine");
    let refuses = |out: &str, needle: &str| {
        let mask = ["mask", LABELS, "--group", "a=3", "-o", out];
        sandbox.refuses(&mask, 1, &["cannot write", out, needle]);
        let preview = ["preview", LABELS, "--group", "a=3", "-o", out];
        sandbox.refuses(&preview, 1, &["cannot write", out, needle]);
    };
    refuses("nowhere/out", "No such file or directory");
    refuses("nowhere/at/all/out", "No such file or directory");
    if cfg!(unix) {
        refuses("file/out", "Not a directory");
    }
    if cfg!(target_os = "linux") {
        // Not even the superuser may create a file here.
        refuses("/proc/out", "os error");
    }
    sandbox.refuses(&["demo", "file/demo"], 1, &["file/demo"]);
    let overwrite = ["--group", "a=3", "--overwrite"];
    sandbox.refuses(&[&["mask", LABELS, "-o", "file"], &overwrite[..]].concat(), 1, &["file"]);
    sandbox.refuses(&[&["preview", LABELS, "-o", "."], &overwrite[..]].concat(), 1, &["."]);
    sandbox.refuses(&[&["mask", LABELS, "-o", ""], &overwrite[..]].concat(), 2, &["--output"]);
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_behind() {
    use common::{arg, assert_refusal, run_of};

    let sandbox = Sandbox::new();
    let crop = Crop { chunks: &[32, 64, 64], ..Crop::default() };
    crop.store(&sandbox.path("crop.zarr"), &typed::<u8>(&labels(&[64, 64, 64], &IDS)));
    sandbox.succeeds(&["mask", LABELS, "--group", "a=3", "-o", "old.zarr"]);
    let before = sandbox.listing();
    // Files of up to 8 kB, as on a disk that is almost full: metadata can be written, but no chunk.
    // The signal that would end the process is ignored, so that writing fails.
    let limited = |args: &[&str]| {
        let mut shell = assert_cmd::Command::new("sh");
        let script = "trap '' XFSZ; ulimit -f 16 || exit 99; exec \"$0\" \"$@\"";
        shell.args(["-c", script, arg(Path::new(env!("CARGO_BIN_EXE_voxmask")))]);
        run_of(&shell.args(args).current_dir(sandbox.root()).output().unwrap())
    };
    let mask = ["mask", LABELS, "--group", "a=3,4,5", "--targets", "-o"];
    for (args, out) in [
        ([&mask[..], &["out.zarr"]].concat(), "out.zarr"),
        ([&mask[..], &["out.zarr", "--zarr-format", "2"]].concat(), "out.zarr"),
        ([&mask[..], &["old.zarr", "--overwrite"]].concat(), "old.zarr"),
        (vec!["preview", LABELS, "--group", "a=3,4,5", "-o", "p.png"], "p.png"),
    ] {
        let run = limited(&args);
        assert_refusal(&run, 1, &["cannot write", out, "File too large"], &format!("{args:?}"));
        sandbox.assert_unchanged(&before);
    }
    // The limit is not what makes these arguments fail.
    let run = limited(&["inspect", LABELS]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn what_was_written_before_a_chunk_that_cannot_be_read_is_kept_until_the_labels_change() {
    let sandbox = Sandbox::new();
    let zarray = json!({"shape": [64, 64, 256], "chunks": [64, 64, 64], "dtype": "|u1"});
    let chunk = vec![3; 64 * 64 * 64];
    let mut chunks: Vec<(&str, Vec<u8>)> =
        ["0.0.0", "0.0.1", "0.0.2", "0.0.3"].map(|name| (name, chunk.clone())).to_vec();
    chunks[3].1.truncate(100);
    v2_by_hand(&sandbox.path("a.zarr"), &zarray, &json!({SIZE: [1, 1, 1]}), &chunks);
    let args = ["mask", "a.zarr", "--group", "g=3", "--targets", "-o", "out.zarr"];
    let one_thread = |args: &[&str]| {
        common::run_of(
            &sandbox.command().env("RAYON_NUM_THREADS", "1").args(args).output().unwrap(),
        )
    };
    let run = one_thread(&args);
    let needles = ["75 % of", "out.zarr", "0.0.3", "hint: the same command with --resume goes on"];
    common::assert_refusal(&run, 1, &needles, "a cut off chunk");
    // Again, as long as it cannot be read.
    let resume = [&args[..], &["--resume"]].concat();
    let run = one_thread(&resume);
    common::assert_refusal(&run, 1, &["75 % of", "0.0.3"], "the same chunk");
    fs::write(sandbox.path("a.zarr/0.0.3"), &chunk).unwrap();
    // What is finished was made of labels that are no more.
    let run = one_thread(&resume);
    common::assert_refusal(&run, 1, &["the labels have changed", "0.0.3"], "mended labels");
    let found = sandbox.json(&[&args[..], &["--overwrite", "--json"]].concat());
    assert!(found["resumed_at"].is_null());
    assert_eq!(found["channels"][0]["known"], 64 * 64 * 256);
    let mask = common::bytes_of(&sandbox.path("out.zarr/mask/s0"));
    assert!(mask.iter().all(|&voxel| voxel == 1));
}

#[cfg(unix)]
#[test]
fn an_interrupted_mask_can_be_resumed() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let sandbox = Sandbox::new();
    let random = labels(&[64, 64, 64], &IDS);
    let chunk: Vec<u8> = random.iter().map(|&label| u8::try_from(label).unwrap()).collect();
    let zarray = json!({"shape": [256, 256, 256], "chunks": [64, 64, 64], "dtype": "|u1"});
    let names: Vec<String> =
        (0..64).map(|n| format!("{}.{}.{}", n / 16, n / 4 % 4, n % 4)).collect();
    let chunks: Vec<(&str, Vec<u8>)> =
        names.iter().map(|name| (name.as_str(), chunk.clone())).collect();
    v2_by_hand(&sandbox.path("big.zarr"), &zarray, &json!({SIZE: [1, 1, 1]}), &chunks);
    let groups: Vec<String> = (0..12).map(|id| format!("--group=g{id}={id}")).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let args = [&["mask", "big.zarr", "--targets", "-o"][..], &["whole.zarr"], &groups].concat();
    let printed = sandbox.succeeds(&args).stdout;
    let whole = common::listing(&sandbox.path("whole.zarr"));
    let args = [&["mask", "big.zarr", "--targets", "-o"][..], &["out.zarr"], &groups].concat();
    let before: Vec<PathBuf> = sandbox.listing().into_keys().collect();

    for signal in ["-INT", "-TERM", "-KILL"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_voxmask"))
            .args(&args)
            .current_dir(sandbox.root())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Midway: some units are finished.
        let patience = Instant::now();
        loop {
            let journal = fs::read(sandbox.path(".out.zarr.partial/journal")).unwrap_or_default();
            if journal.iter().filter(|&&byte| byte == b'\n').count() > 3 {
                break;
            }
            assert!(
                child.try_wait().unwrap().is_none(),
                "the mask ended before it was interrupted"
            );
            assert!(patience.elapsed() < Duration::from_secs(120), "no chunk is ever written");
            std::thread::sleep(Duration::from_millis(1));
        }
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let run = common::run_of(&child.wait_with_output().unwrap());
        if signal == "-KILL" {
            assert_eq!(run.code, None);
        } else {
            let needles = ["out.zarr", "interrupted at ", " %", "--resume goes on"];
            common::assert_refusal(&run, 1, &needles, signal);
        }
        assert!(!sandbox.path("out.zarr").exists(), "after {signal}");
        sandbox.refuses(&args, 1, &["an earlier run has written", "--resume", "--overwrite"]);
        let other = [&args[..], &["--resume", "--codec", "gzip"]].concat();
        sandbox.refuses(&other, 1, &["another job", "\"zstd:3\", now \"gzip:6\""]);
        let resumed = sandbox.succeeds(&[&args[..], &["--resume"]].concat()).stdout;
        let (table, _) = printed.split_once("wrote").unwrap();
        assert!(resumed.starts_with(table), "{resumed}");
        assert!(resumed.contains("resumed at"), "{resumed}");
        assert!(common::listing(&sandbox.path("out.zarr")) == whole, "after {signal}");
        let again = sandbox.succeeds(&[&args[..], &["--resume"]].concat()).stdout;
        assert!(again.contains("complete already"), "{again}");
        fs::remove_dir_all(sandbox.path("out.zarr")).unwrap();
        let after: Vec<PathBuf> = sandbox.listing().into_keys().collect();
        assert_eq!(before, after, "after {signal}");
    }
}

#[test]
fn malformed_annotations_are_refused_with_position_and_field() {
    let with = |change: fn(&mut Value)| {
        let mut list = entries();
        change(&mut list);
        list
    };
    let without = |key: &str| {
        let mut list = entries();
        list[3].as_object_mut().unwrap().remove(key);
        list
    };
    for (list, needles) in [
        (json!("none"), vec!["labels"]),
        (json!({"3": "mito"}), vec!["labels", "an object"]),
        (json!([3, 4]), vec!["0", "an object"]),
        (without("value"), vec!["3", "`value`"]),
        (without("annotationState"), vec!["3", "`annotationState`"]),
        (with(|l| l[2]["value"] = json!("4")), vec!["2", "value", "\"4\""]),
        (with(|l| l[2]["value"] = json!(4.5)), vec!["2", "value", "4.5"]),
        (with(|l| l[1]["annotationState"]["present"] = json!("yes")), vec!["1", "present", "yes"]),
        (
            with(|l| l[1]["annotationState"]["annotated"] = json!("some")),
            vec!["1", "annotated", "some"],
        ),
        (
            with(|l| l[1]["annotationState"]["annotated"] = json!("false")),
            vec!["1", "annotated", "\"false\""],
        ),
        (with(|l| l[4]["count"] = json!(-1)), vec!["4", "count", "-1"]),
    ] {
        let sandbox = crop(Compression::default());
        let file = sandbox.path("crop.zarr/all/s0/.zattrs");
        let mut attrs = json_file(&file);
        attrs["labels"] = list;
        write_json(&file, &attrs);
        unusable(&sandbox, LABELS, &[&["`labels`"], &needles[..]].concat());
    }
}

#[test]
fn malformed_groups_files_are_refused_with_the_place() {
    let sandbox = crop(Compression::default());
    for (name, text, needles) in [
        ("g.toml", "[[group]]\nname = \"a\"\nids = [1]\nid = 3\n", vec!["group 0", "\"id\""]),
        ("g.toml", "classes = 3\n", vec!["classes"]),
        ("g.toml", "[[group]]\nids = [1]\n", vec!["group 0", "`name`"]),
        ("g.toml", "[[group]]\nname = \"a\"\n", vec!["group 0", "`ids`"]),
        ("g.toml", "[[group]]\nname = \"a\"\nids = [1.5]\n", vec!["group 0", "1.5"]),
        ("g.toml", "[[group]]\nname = \"\"\nids = [1]\n", vec!["group 0", "name is empty"]),
        (
            "g.toml",
            "[[group]]\nname = \"a\"\nids = [1]\n[[group]]\nname = \"a\"\nids = [2]\n",
            vec!["group 1", "\"a\"", "another group"],
        ),
        (
            "g.toml",
            "[[group]]\nname = \"a\"\nids = [1]\ngeneric_ids = [37]\n",
            vec!["group 0", "generic id 37", "not among its ids"],
        ),
        ("g.toml", "[[group]\nname", vec!["TOML"]),
        ("g.toml", "", vec!["no groups"]),
        ("g.json", "[]", vec!["no groups"]),
        ("g.json", "{}", vec!["no groups"]),
        ("g.json", "[[\"a\", [1]], [\"b\"]]", vec!["group 1"]),
        ("g.json", "[[\"a\", [1]], [\"a\", [2]]]", vec!["group 1", "\"a\"", "another group"]),
        ("g.json", "[[\" \", [1]]]", vec!["group 0", "name is empty"]),
        ("g.json", "{\"a\": [1], \"a\": [2]}", vec!["\"a\"", "twice"]),
        ("g.json", "{\"a\": 1}", vec!["\"a\"", "list of ids"]),
        ("g.json", "{\"a\": [\"3\"]}", vec!["\"a\"", "\"3\""]),
        ("g.json", "[[\"a\", [18446744073709551616]]]", vec!["group 0", "no integer of 64 bits"]),
        ("g.json", "\"mito\"", vec!["list or an object"]),
        ("g.json", "[[\"a\", [1]]", vec!["JSON"]),
        ("g.json", "", vec!["JSON"]),
    ] {
        sandbox.write(name, text);
        mask_refuses(&sandbox, &["--groups", name], 1, &[&[name], &needles[..]].concat());
        let preview = ["preview", LABELS, "--groups", name, "-o", "p.png"];
        sandbox.refuses(&preview, 1, &needles);
    }
    fs::write(sandbox.path("g.toml"), [0xff, 0x00]).unwrap();
    mask_refuses(&sandbox, &["--groups", "g.toml"], 1, &["g.toml"]);
    mask_refuses(&sandbox, &["--groups", "nowhere.toml"], 1, &["nowhere.toml"]);
    mask_refuses(&sandbox, &["--groups", "crop.zarr"], 1, &["crop.zarr"]);
}

/// Neither may be waited for, nor read until the memory is full.
#[cfg(unix)]
#[test]
fn files_of_the_user_that_never_end_are_refused_by_name() {
    let sandbox = crop(Compression::default());
    for name in ["endless.toml", "endless.csv"] {
        std::os::unix::fs::symlink("/dev/zero", sandbox.path(name)).unwrap();
    }
    for name in ["pipe.json", "pipe.csv"] {
        let made = std::process::Command::new("mkfifo").arg(sandbox.path(name)).status().unwrap();
        assert!(made.success());
    }
    for name in ["endless.toml", "pipe.json"] {
        mask_refuses(&sandbox, &["--groups", name], 1, &[name, "a pipe or a device"]);
        unusable(&sandbox, name, &[name, "a pipe or a device"]);
    }
    for name in ["endless.csv", "pipe.csv"] {
        let args = ["--group", "mito=3", "--classes", name];
        mask_refuses(&sandbox, &args, 1, &[name, "a pipe or a device"]);
    }
}

#[test]
fn malformed_groups_on_the_command_line_are_wrong_usage() {
    let sandbox = crop(Compression::default());
    for (group, needles) in [
        ("mito", vec!["mito", "NAME=ID"]),
        ("mito=3;4", vec!["3;4"]),
        ("mito=three", vec!["three"]),
        ("mito=3,,4", vec!["3,,4"]),
        ("mito=3.0", vec!["3.0"]),
        ("=3", vec!["name is empty"]),
        (" =3", vec!["name is empty"]),
        ("mito=18446744073709551616", vec!["18446744073709551616", "64 bits"]),
        ("mito=-9223372036854775809", vec!["-9223372036854775809", "64 bits"]),
        ("mito=999999999999999999999999999999999999999999", vec!["no integer of 64 bits"]),
    ] {
        mask_refuses(&sandbox, &["--group", group], 2, &needles);
    }
    let twice = ["--group", "mito=3", "--group", "mito=4"];
    mask_refuses(&sandbox, &twice, 2, &["mito", "another group"]);
    sandbox.write("groups.toml", GROUPS_TOML);
    let both = ["--groups", "groups.toml", "--group", "er=4"];
    mask_refuses(&sandbox, &both, 2, &["er", "another group"]);
}

#[test]
fn ids_at_the_ends_of_64_bits_and_below_zero_are_accepted() {
    let sandbox = Sandbox::new();
    let voxels = labels(&[4, 4, 4], &[0, 1, -1, i128::from(i64::MIN)]);
    Crop::default().store(&sandbox.path("crop.zarr"), &typed::<i64>(&voxels));
    let group = "ends=-9223372036854775808,-1,18446744073709551615";
    let args = ["mask", LABELS, "--group", group, "--json", "-o", "out.zarr"];
    let found = sandbox.json(&args);
    let negative = voxels.iter().filter(|&&label| label < 0).count();
    assert_eq!(found["channels"][0]["positive"], negative);
    let ids = json!([i64::MIN, -1, u64::MAX]);
    assert_eq!(found["channels"][0]["ids"], ids);
}

#[test]
fn channels_must_be_named_in_one_way_or_the_other() {
    let sandbox = crop(Compression::default());
    mask_refuses(&sandbox, &[], 2, &["--groups", "--group <"]);
    sandbox.refuses(&["preview", LABELS, "-o", "p.png"], 2, &["--groups", "--group <"]);
}

#[test]
fn options_that_mean_nothing_are_wrong_usage() {
    let sandbox = crop(Compression::default());
    for (args, needles) in [
        (["--rule", "lenient"], ["lenient", "strict, generic or cnnectome"]),
        (["--zarr-format", "4"], ["4", "--zarr-format"]),
        (["--zarr-format", "1"], ["1", "--zarr-format"]),
        (["--scale", "0nm"], ["0nm", "--scale"]),
        (["--chunks", "0"], ["0", "--chunks"]),
        (["--chunks", "4,4"], ["4, 4", "--chunks"]),
        (["--chunks", "4,4,x"], ["x", "--chunks"]),
        (["--chunks", "-4"], ["-4", "error"]),
        (["--voxel-size", "1,2,x"], ["\"x\"", "--voxel-size"]),
        (["--offset", "1;2;3"], ["1;2;3", "--offset"]),
        (["--unit", "parsec"], ["parsec", "--unit"]),
        (["--background", "none"], ["none", "--background"]),
        (["--generic-ids", "x"], ["x", "--generic-ids"]),
        (["--translation", "edge"], ["edge", "--translation"]),
        (["--colour", "red"], ["--colour", "error"]),
    ] {
        mask_refuses(&sandbox, &[&["--group", "a=3"], &args[..]].concat(), 2, &needles);
    }
    for (args, needle) in [
        (["--voxel-size", "1,2"], "[1, 2]"),
        (["--voxel-size", "1,0,1"], "not greater than zero"),
        (["--offset", "1,2,3,4"], "[1, 2, 3, 4]"),
    ] {
        mask_refuses(&sandbox, &[&["--group", "a=3"], &args[..]].concat(), 1, &[LABELS, needle]);
    }
    sandbox.refuses(&["paint"], 2, &["paint"]);
    let without = sandbox.run(&[]);
    assert_eq!(without.code, Some(2));
    assert!(without.stderr.contains("Usage: voxmask"), "{}", without.stderr);
}

#[test]
fn what_is_secret_in_a_url_is_not_shown() {
    let sandbox = Sandbox::new();
    // Nobody listens on a port that has just been given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let source = format!("http://me:secret@127.0.0.1:{port}/crop.zarr/s0?sig=secret");
    let shown = format!("cannot open http://127.0.0.1:{port}/crop.zarr/s0");
    for args in [
        &["inspect", &source][..],
        &["mask", &source, "--group", "a=3", "-o", "out.zarr"],
        &["preview", &source, "--group", "a=3", "-o", "p.png"],
    ] {
        let run = sandbox.refuses(args, 1, &[&shown, "cannot connect to the server"]);
        assert!(!run.stderr.contains("secret"), "{}", run.stderr);
    }
}
