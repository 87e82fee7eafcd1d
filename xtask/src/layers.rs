//! Which crate may use which.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Each crate with the crates of the workspace that it may use. An arrow only points down.
const LAYERS: &[(&str, &[&str])] = &[
    ("geometry", &[]),
    ("array-core", &["geometry"]),
    ("zarr-source", &["array-core", "geometry"]),
    ("annotation-mask", &["array-core", "geometry"]),
    ("array-config", &["annotation-mask", "array-core", "geometry", "zarr-source"]),
    ("mask-writer", &["annotation-mask", "array-core", "geometry", "zarr-source"]),
    ("serve", &["array-core", "geometry", "zarr-source"]),
    (
        "python",
        &[
            "annotation-mask",
            "array-config",
            "array-core",
            "geometry",
            "mask-writer",
            "zarr-source",
        ],
    ),
    (
        "voxmask",
        &[
            "annotation-mask",
            "array-config",
            "array-core",
            "geometry",
            "mask-writer",
            "serve",
            "zarr-source",
        ],
    ),
];

/// Crates that only one crate of the workspace may name.
const PRIVATE: &[(&str, &str)] =
    &[("zarrs", "zarr-source"), ("clap", "voxmask"), ("hyper", "serve"), ("pyo3", "python")];

/// The only file that may allow itself unsafe code.
const UNSAFE: &str = "crates/array-core/src/hardware.rs";

/// The files below `folder` that allow unsafe code.
fn unsafe_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(unsafe_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && fs::read_to_string(&path)?.contains("allow(unsafe_code")
        {
            found.push(path);
        }
    }
    Ok(found)
}

/// Fails if a crate uses one that it may not, or is not in the list.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let crates = root.join("crates");
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&crates).with_context(|| format!("reading {}", crates.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
            wrong.push(format!("{name} has no place among the layers"));
            continue;
        };
        let manifest = crates.join(&name).join("Cargo.toml");
        let text = fs::read_to_string(&manifest)
            .with_context(|| format!("reading {}", manifest.display()))?;
        for used in dependencies(&text) {
            let is_ours = LAYERS.iter().any(|(layer, _)| *layer == used);
            // A crate turns its own test helpers on in its own tests.
            if is_ours && used != name && !allowed.contains(&used) {
                wrong.push(format!("{name} may not use {used}"));
            }
            if let Some((_, owner)) = PRIVATE.iter().find(|(private, _)| *private == used)
                && *owner != name
            {
                wrong.push(format!("{name} may not use {used}: only {owner} does"));
            }
        }
    }
    for path in unsafe_files(&crates)? {
        if path != root.join(UNSAFE) {
            wrong.push(format!("{} may have no unsafe code: only {UNSAFE} has", path.display()));
        }
    }
    if !wrong.is_empty() {
        bail!("the layers do not hold:\n  {}", wrong.join("\n  "));
    }
    println!("the layers hold");
    Ok(())
}

/// The names in the tables `dependencies` and `dev-dependencies` of a manifest.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    manifest.lines().filter_map(move |line| {
        if let Some(table) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = table.ends_with("dependencies");
            // `[dependencies.zarrs]`
            return table.split_once("dependencies.").map(|(_, name)| name);
        }
        let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
        (inside && !name.is_empty() && !name.starts_with('#')).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_both_tables_are_found() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\ngeometry.workspace = true\n\
                        # why\nzarrs = \"1\"\n[dependencies.clap]\nversion = \"4\"\n[dev-dependencies]\nproptest = { path = \"\" }\n\
                        [lints]\nworkspace = true\n";
        let names: Vec<_> = dependencies(manifest).collect();
        assert_eq!(names, ["geometry", "zarrs", "clap", "proptest"]);
    }

    #[test]
    fn the_workspace_keeps_its_layers() {
        check(&crate::root()).unwrap();
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let folder = root.path().join("crates").join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("Cargo.toml"), text).unwrap();
        };
        write("geometry", "[dependencies]\narray-core.workspace = true\n");
        write("annotation-mask", "[dependencies]\nzarrs = \"1\"\n");
        write("stranger", "");
        fs::write(root.path().join("crates/stranger/lib.rs"), "#![allow(unsafe_code)]").unwrap();
        let error = check(root.path()).unwrap_err().to_string();
        for part in [
            "geometry may not use array-core",
            "may not use zarrs",
            "stranger has no place",
            "lib.rs may have no unsafe",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }
}
