//! What is in a container, as a tree.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

use array_core::DType;
use tempfile::TempDir;
use zarr_source::{
    OpenOptions, TreeKind, TreeNode, ZarrArray, ZarrError, ZarrFormat, ZarrGroup, ZarrTree,
};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A container with arrays of both versions, a folder without metadata, and what is broken.
fn container() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("crop.zarr");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    copy(&fixtures.join("v2_missing.zarr"), &root.join("labels"));
    copy(&fixtures.join("v3_sharded_missing.zarr/s0"), &root.join("plain/raw"));
    copy(&fixtures.join("v2_missing.zarr"), &root.join("broken"));
    fs::write(root.join("broken/s0/.zarray"), "{").unwrap();
    copy(&fixtures.join("v2_missing.zarr"), &root.join("odd"));
    let zarray = root.join("odd/s0/.zarray");
    let text = fs::read_to_string(&zarray).unwrap().replace("|u1", "<U7");
    fs::write(&zarray, text).unwrap();
    fs::create_dir_all(root.join("notes/deep")).unwrap();
    fs::write(root.join("notes/deep/readme.txt"), "nothing").unwrap();
    fs::write(root.join(".zgroup"), r#"{"zarr_format": 2}"#).unwrap();
    fs::write(root.join(".zattrs"), r#"{"who": "all"}"#).unwrap();
    (folder, root)
}

fn names(node: &TreeNode) -> Vec<&str> {
    node.children.iter().map(|child| child.name.as_str()).collect()
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            if entry.path().is_dir() {
                size_of(&entry.path())
            } else {
                entry.metadata().unwrap().len()
            }
        })
        .sum()
}

#[test]
fn a_tree_holds_groups_arrays_and_what_is_broken() {
    let (_folder, root) = container();
    let tree = ZarrGroup::open(&root).unwrap().tree(100).unwrap();
    assert!(!tree.truncated);
    assert_eq!(tree.root.attrs["who"], "all");
    // Folders of other things are no nodes.
    assert_eq!(names(&tree.root), ["broken", "labels", "odd", "plain"]);
    let [broken, labels, odd, plain] = &tree.root.children[..] else { panic!() };

    assert!(matches!(labels.kind, TreeKind::Group { format: ZarrFormat::V2 }));
    let TreeKind::Array(array) = &labels.children[0].kind else { panic!("{labels:?}") };
    assert_eq!((array.format, array.dtype), (ZarrFormat::V2, DType::U8));
    assert_eq!((&array.shape[..], &array.chunk_shape[..]), (&[5, 7, 6][..], &[3, 4, 4][..]));
    assert_eq!(array.shard_shape, None);
    assert_eq!(array.stored_bytes, Some(size_of(&root.join("labels/s0"))));
    assert_eq!(labels.children[0].attrs["voxel_size"][0], 8);
    ZarrArray::open(&labels.children[0].path).unwrap();

    assert!(matches!(plain.kind, TreeKind::Folder));
    let TreeKind::Array(array) = &plain.children[0].kind else { panic!("{plain:?}") };
    assert_eq!(array.format, ZarrFormat::V3);
    assert!(array.shard_shape.as_ref().is_some_and(|shard| shard != &array.chunk_shape));

    for (node, text) in [(broken, "invalid JSON"), (odd, "<U7")] {
        let TreeKind::Broken { error } = &node.children[0].kind else { panic!("{node:?}") };
        assert!(error.contains(text) && error.contains("s0/.zarray"), "{error}");
    }
}

#[test]
fn a_tree_ends_where_it_is_told_to() {
    let (_folder, root) = container();
    let group = ZarrGroup::open(&root).unwrap();
    fn count(node: &TreeNode) -> usize {
        1 + node.children.iter().map(count).sum::<usize>()
    }
    let all = count(&group.tree(100).unwrap().root);
    assert_eq!(all, 9);
    for limit in 1..all + 2 {
        let tree = group.tree(limit).unwrap();
        // A folder is a node only if something is known to be in it.
        let found = count(&tree.root);
        assert!(found <= limit && found + 1 >= limit.min(all), "{found} of {limit}");
        assert_eq!(tree.truncated, limit < all, "{limit}");
    }
}

#[test]
fn a_tree_ends_in_folders_without_end() {
    let (_folder, root) = container();
    let deep: PathBuf = std::iter::repeat_n("d", 1000).collect();
    fs::create_dir_all(root.join(deep)).unwrap();
    let tree = ZarrGroup::open(&root).unwrap().tree(10_000).unwrap();
    assert!(tree.truncated);
    assert_eq!(names(&tree.root), ["broken", "labels", "odd", "plain"]);
}

#[cfg(unix)]
#[test]
fn links_that_lead_back_are_not_followed() {
    use std::os::unix::fs::symlink;
    let (folder, root) = container();
    let elsewhere = folder.path().join("elsewhere");
    copy(&root.join("labels"), &elsewhere);
    for name in ["a", "b", "c"] {
        symlink(&root, root.join("labels").join(name)).unwrap();
    }
    symlink(".", root.join("self")).unwrap();
    symlink(&elsewhere, root.join("linked")).unwrap();
    let group = ZarrGroup::open(&root).unwrap();
    let arrays = group.arrays().unwrap();
    assert!(arrays.contains(&root.join("linked/s0")), "{arrays:?}");
    assert_eq!(arrays.len(), 4, "{arrays:?}");
    let tree = group.tree(10_000).unwrap();
    assert_eq!(names(&tree.root), ["broken", "labels", "linked", "odd", "plain"]);
    assert!(!tree.truncated);
}

#[test]
fn groups_open_what_is_in_them_and_nothing_else() {
    let (_folder, root) = container();
    let group = ZarrGroup::open(&root).unwrap();
    assert_eq!(group.groups().unwrap(), ["broken", "labels", "odd"]);
    let labels = group.open_group("labels").unwrap();
    assert_eq!(labels.path(), root.join("labels"));
    for array in [
        labels.open_array("s0", &OpenOptions::default()).unwrap(),
        group.open_array("/labels//s0/", &OpenOptions::default()).unwrap(),
    ] {
        assert_eq!(array.metadata().path(), root.join("labels/s0"));
        assert_eq!(array.metadata().container(), root);
    }
    let error = labels.open_array("../plain/raw", &OpenOptions::default()).unwrap_err();
    assert!(matches!(error, ZarrError::InvalidName { .. }), "{error}");
    let error = labels.open_group("s0").unwrap_err();
    assert!(matches!(error, ZarrError::NotAZarrGroup { .. }), "{error}");
    let error = labels.open_group("s1").unwrap_err();
    assert!(matches!(error, ZarrError::NotFound { .. }), "{error}");
}

#[test]
fn a_tree_needs_no_group() {
    let (_folder, root) = container();
    let options = OpenOptions::default();
    let open = |path: &Path| ZarrTree::open(path, &options, 100);
    // The folder around the container.
    let tree = open(root.parent().unwrap()).unwrap();
    assert!(matches!(tree.root.kind, TreeKind::Folder));
    assert_eq!(names(&tree.root), ["crop.zarr"]);
    assert_eq!(names(&tree.root.children[0]), ["broken", "labels", "odd", "plain"]);
    // A folder without metadata in it, a group, and an array.
    assert_eq!(names(&open(&root.join("plain")).unwrap().root), ["raw"]);
    assert_eq!(names(&open(&root.join("labels")).unwrap().root), ["s0"]);
    let array = open(&root.join("labels/s0")).unwrap();
    assert!(matches!(array.root.kind, TreeKind::Array(_)) && array.root.children.is_empty());
    let zip = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zips/folder.zip");
    assert_eq!(names(&open(&zip).unwrap().root), ["v3_sharded_missing.zarr"]);

    let error = open(&root.join("notes")).unwrap_err();
    assert!(matches!(error, ZarrError::NotAZarrGroup { .. }), "{error}");
    let error = open(&root.join("notes/deep/readme.txt")).unwrap_err();
    assert!(matches!(error, ZarrError::NotAZarrGroup { .. }), "{error}");
    let error = open(&root.join("nothing")).unwrap_err();
    assert!(matches!(error, ZarrError::NotFound { .. }), "{error}");
}

#[test]
fn a_url_of_another_kind_is_told_without_its_secrets() {
    let error = ZarrArray::open("gs://me:secret@bucket/crop.zarr?secret").unwrap_err();
    assert!(matches!(error, ZarrError::InvalidLocation { .. }), "{error}");
    assert!(
        error.to_string().starts_with("cannot open gs://bucket/crop.zarr: gs is not"),
        "{error}"
    );
}

#[cfg(not(feature = "remote"))]
#[test]
fn without_remote_stores_a_url_is_refused_with_what_to_do() {
    let error = ZarrArray::open("s3://user:secret@bucket/crop.zarr/s0").unwrap_err();
    assert!(matches!(error, ZarrError::Unsupported { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("s3://bucket/crop.zarr/s0") && text.contains("feature `remote`"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
}
