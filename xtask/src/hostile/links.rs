//! What the file system can have in the place of a file or folder.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::case::{Case, Expected};
use super::containers::{SIDE, attributes, cube, file, n5, raw, v2, v3, write, write_as};

const CHUNK: &str = "c/0/0/0";
const DOCUMENTS: [(&str, &[&str]); 5] = [
    ("zarr.json", &["zarr.json"]),
    (".zarray", &[".zarray"]),
    (".zattrs", &[".zattrs"]),
    (".zgroup", &[".zgroup"]),
    ("attributes.json", &["attributes.json"]),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        in_place_of_chunk("a folder", |path| Ok(fs::create_dir(path)?)),
        in_place_of_chunk("a pipe", pipe),
        in_place_of_chunk("a link to a device without an end", |path| {
            Ok(symlink("/dev/zero", path)?)
        }),
        in_place_of_chunk("a link to itself", |path| Ok(symlink("0", path)?)),
        in_place_of_chunk("a link that leads nowhere", |path| Ok(symlink("/no-such-disk", path)?)),
        Case::unreadable("chunks on a disk that is gone", &["c/0/0/0"], |folder| {
            let array = write(folder, &v3(&cube(), &cube(), &raw()), &[])?;
            symlink("/no-such-disk", folder.join(&array).join("c"))?;
            Ok(array)
        }),
        Case::usable("chunks on another disk", |folder| {
            let elsewhere = file(folder, "other/0/0/0", &[1; SIDE * SIDE * SIDE])?;
            let array = write(folder, &v3(&cube(), &cube(), &raw()), &[])?;
            let other = elsewhere.ancestors().nth(3).context("the other folder")?;
            symlink(other, folder.join(&array).join("c"))?;
            Ok(array)
        }),
        Case::usable("the whole array on another disk", |folder| {
            let document = v3(&cube(), &cube(), &raw());
            let chunk = vec![1; SIDE * SIDE * SIDE];
            let array = write(&folder.join("other"), &document, &[(CHUNK, &chunk)])?;
            fs::create_dir(folder.join("crop.zarr"))?;
            symlink(folder.join("other").join(array), folder.join("crop.zarr/s0"))?;
            Ok(PathBuf::from("crop.zarr/s0"))
        }),
        Case::inspected("a link to the folder that it is in", Expected::Success, |folder| {
            let root = group(folder, "crop.zarr")?;
            symlink(".", root.join("again"))?;
            symlink("..", root.join("above"))?;
            Ok(PathBuf::from("crop.zarr"))
        }),
        Case::inspected("links between two folders", Expected::Success, |folder| {
            group(folder, "crop.zarr")?;
            let (a, b) = (group(folder, "crop.zarr/a")?, group(folder, "crop.zarr/b")?);
            for name in ["x", "y"] {
                symlink("../b", a.join(name))?;
                symlink("../a", b.join(name))?;
            }
            Ok(PathBuf::from("crop.zarr"))
        }),
        Case::inspected("2^60 ways through 60 folders", Expected::Success, |folder| {
            group(folder, "crop.zarr")?;
            for number in 0..60 {
                let level = group(folder, &format!("levels/{number}"))?;
                for name in ["x", "y"] {
                    symlink(format!("../{}", number + 1), level.join(name))?;
                }
            }
            group(folder, "levels/60")?;
            symlink("../levels/0", folder.join("crop.zarr/levels"))?;
            Ok(PathBuf::from("crop.zarr"))
        }),
        Case::unusable("the same, and an array that is not there", &["labels"], |folder| {
            for number in 0..60 {
                let level = group(folder, &format!("crop.zarr/{number}"))?;
                for name in ["x", "y"] {
                    symlink(format!("../{}", (number + 1) % 60), level.join(name))?;
                }
            }
            Ok(PathBuf::from("crop.zarr/labels/all"))
        }),
        Case::unreadable("a chunk that may not be read", &[CHUNK], |folder| {
            let chunk = vec![1; SIDE * SIDE * SIDE];
            let array = write(folder, &v3(&cube(), &cube(), &raw()), &[(CHUNK, &chunk)])?;
            // Whoever may read all files does not notice.
            fs::set_permissions(
                folder.join(&array).join(CHUNK),
                fs::Permissions::from_mode(0o000),
            )?;
            Ok(array)
        })
        .without_privileges(),
        Case::unreadable("a folder of chunks that may not be entered", &[CHUNK], |folder| {
            let chunk = vec![1; SIDE * SIDE * SIDE];
            let array = write(folder, &v3(&cube(), &cube(), &raw()), &[(CHUNK, &chunk)])?;
            fs::set_permissions(folder.join(&array).join("c"), fs::Permissions::from_mode(0o000))?;
            Ok(array)
        })
        .without_privileges(),
        Case::unusable("a document that may not be read", &["zarr.json"], |folder| {
            let array = write(folder, &v3(&cube(), &cube(), &raw()), &[])?;
            let document = folder.join(&array).join("zarr.json");
            fs::set_permissions(document, fs::Permissions::from_mode(0o000))?;
            Ok(array)
        })
        .without_privileges(),
    ];
    for (name, names) in DOCUMENTS {
        let place = move |what: &str, make: fn(&Path) -> anyhow::Result<()>| {
            Case::unusable(format!("{what} in the place of {name}"), names, move |folder| {
                in_place_of_document(folder, name, make)
            })
        };
        cases.push(place("a pipe", pipe));
        cases.push(place("a folder", |path| Ok(fs::create_dir(path)?)));
        cases.push(place("a device", |path| Ok(symlink("/dev/zero", path)?)));
        cases.push(place("a link that leads nowhere", |path| Ok(symlink("/no-such-disk", path)?)));
        cases.push(place("a link to itself", |path| {
            let own = path.file_name().context("a name")?;
            Ok(symlink(own, path)?)
        }));
    }
    cases
}

/// An array whose only chunk is something else.
fn in_place_of_chunk(what: &str, make: fn(&Path) -> anyhow::Result<()>) -> Case {
    Case::unreadable(format!("{what} in the place of a chunk"), &[CHUNK], move |folder| {
        let array = write(folder, &v3(&cube(), &cube(), &raw()), &[])?;
        let chunk = folder.join(&array).join(CHUNK);
        fs::create_dir_all(chunk.parent().context("the folder of the chunk")?)?;
        make(&chunk)?;
        Ok(array)
    })
}

/// An array of which a document is something else.
fn in_place_of_document(
    folder: &Path,
    name: &str,
    make: fn(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let array = match name {
        "zarr.json" | ".zarray" | ".zgroup" => PathBuf::from("crop.zarr/s0"),
        ".zattrs" => {
            write_as(folder, ".zarray", &v2(&cube(), &cube(), &serde_json::Value::Null), &[])?
        }
        _ => {
            let document = n5(&cube(), &cube(), &serde_json::json!({"type": "raw"}));
            let array = write_as(folder, name, &document, &[])?;
            fs::remove_file(folder.join(&array).join(name))?;
            array
        }
    };
    fs::create_dir_all(folder.join(&array))?;
    make(&folder.join(&array).join(name))?;
    Ok(array)
}

fn group(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let text = serde_json::json!({"zarr_format": 3, "node_type": "group",
        "attributes": attributes(&cube())});
    file(folder, Path::new(name).join("zarr.json"), text.to_string().as_bytes())?;
    Ok(folder.join(name))
}

fn pipe(path: &Path) -> anyhow::Result<()> {
    let status = Command::new("mkfifo").arg(path).status().context("starting mkfifo")?;
    if !status.success() {
        bail!("mkfifo {} failed", path.display());
    }
    Ok(())
}
