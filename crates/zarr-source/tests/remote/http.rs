//! A static HTTP server.

use std::fs;
use std::io::ErrorKind;

use array_core::testing::check_contract;
use array_core::{Array, ArrayExt};
use serde_json::json;
use zarr_source::{StoreOptions, TreeKind, ZarrArray, ZarrError, ZarrGroup, ZarrNode};

use crate::servers::{Nginx, write};
use crate::support::{
    assert_same, chain, copy, edit, fixture_names, fixtures, io_kind, local, put, quick,
    read_error, zips,
};

#[test]
fn every_fixture_reads_as_from_a_folder() {
    let Some(nginx) = Nginx::start("") else { return };
    copy(&fixtures(), &nginx.root());
    for name in fixture_names() {
        let array = ZarrArray::open_with(nginx.url(&format!("{name}/s0")), &quick(0)).unwrap();
        assert_same(&array, &name);
        assert_eq!(array.metadata().container().to_str(), Some(&nginx.url(&name)[..]));
        assert_eq!(array.metadata().path().to_str(), Some(&nginx.url(&format!("{name}/s0"))[..]));
        assert_eq!(array.metadata().path_in_container(), "s0");
    }
    for name in ["v2_missing.zarr", "v3_sharded_missing.zarr"] {
        let array = ZarrArray::open_with(nginx.url(&format!("{name}/s0/")), &quick(0)).unwrap();
        check_contract(&array);
    }
}

#[test]
fn to_open_whatever_is_there_takes_no_more_requests_than_to_open_what_it_is() {
    let Some(nginx) = Nginx::start("") else { return };
    put("v2_missing.zarr", &nginx.root(), "crop.zarr");
    let (array, group) = (nginx.url("crop.zarr/s0"), nginx.url("crop.zarr"));
    let options = quick(0);
    ZarrArray::open_with(array.as_str(), &options).unwrap();
    let for_array = nginx.requests().len();
    let node = ZarrNode::open_with(array.as_str(), &options).unwrap();
    assert!(matches!(node, ZarrNode::Array(_)), "{node:?}");
    assert_eq!(nginx.requests().len(), for_array);
    ZarrGroup::open_with(group.as_str(), &options).unwrap();
    let for_group = nginx.requests().len();
    let node = ZarrNode::open_with(group.as_str(), &options).unwrap();
    assert!(matches!(node, ZarrNode::Group(_)), "{node:?}");
    assert_eq!(nginx.requests().len(), for_group);
}

#[test]
fn a_chunk_is_one_request_and_one_that_is_not_stored_has_the_fill_value() {
    let Some(nginx) = Nginx::start("") else { return };
    put("v2_missing.zarr", &nginx.root(), "crop.zarr");
    let array = ZarrArray::open_with(nginx.url("crop.zarr/s0"), &quick(0)).unwrap();
    nginx.requests();
    assert_eq!(array.data().unwrap(), local("v2_missing.zarr").data().unwrap());
    let mut requests = nginx.requests();
    requests.sort();
    let answers: Vec<&str> = requests.iter().filter_map(|line| line.split(' ').nth(2)).collect();
    assert_eq!(requests.len(), 8, "{requests:?}");
    assert!(
        requests.iter().all(|line| line.starts_with("GET ") && line.ends_with(" -")),
        "{requests:?}"
    );
    assert_eq!(answers.iter().filter(|&&answer| answer == "404").count(), 3, "{requests:?}");
}

#[test]
fn a_chunk_of_a_shard_is_a_range() {
    let Some(nginx) = Nginx::start("") else { return };
    put("v3_sharded.zarr", &nginx.root(), "crop.zarr");
    let array = ZarrArray::open_with(nginx.url("crop.zarr/s0"), &quick(0)).unwrap();
    nginx.requests();
    let grid = array.info().grid();
    let one = geometry::Roi::new(*grid.offset(), **grid.voxel_size()).unwrap();
    let expected = local("v3_sharded.zarr").read(&one).unwrap();
    for _ in 0..3 {
        assert_eq!(array.read(&one).unwrap(), expected);
    }
    let requests = nginx.requests();
    let sizes = requests.iter().filter(|line| line.starts_with("HEAD ")).count();
    let ranges = requests.iter().filter(|line| line.contains(" 206 bytes=")).count();
    // The size and the index of the shard once, and the chunk each time.
    assert_eq!((sizes, ranges, requests.len()), (1, 4, 5), "{requests:?}");
}

#[test]
fn a_server_without_ranges_gives_the_same_voxels() {
    let Some(nginx) = Nginx::start("max_ranges 0;") else { return };
    put("v3_sharded_missing.zarr", &nginx.root(), "crop.zarr");
    fs::copy(zips().join("zipstore_v2.zarr.zip"), nginx.root().join("crop.zip")).unwrap();
    let array = ZarrArray::open_with(nginx.url("crop.zarr/s0"), &quick(0)).unwrap();
    assert_same(&array, "v3_sharded_missing.zarr");
    nginx.requests();
    check_contract(&array);
    // It has been asked, and is not asked again; the same holds for shards that are not stored.
    let requests = nginx.requests();
    assert!(requests.is_empty(), "{requests:?}");
    let array = ZarrArray::open_with(nginx.url("crop.zip/labels/s0"), &quick(0)).unwrap();
    assert_same(&array, "v2_missing.zarr");
}

#[test]
fn the_root_is_found_without_a_name_that_says_so() {
    let Some(nginx) = Nginx::start("") else { return };
    for name in ["v2_blosc_lz4.zarr", "v3_bytes.zarr"] {
        put(name, &nginx.root(), "data/crop1");
        // The group above says what is annotated.
        let labels = json!([{"value": 1, "name": {"short": "a", "long": "b"},
            "annotationState": {"present": true, "annotated": true}}]);
        let group = nginx.root().join("data/crop1");
        if name.starts_with("v2") {
            write(&group.join(".zattrs"), &json!({"labels": labels}).to_string());
        } else {
            edit(&group.join("zarr.json"), |group| group["attributes"]["labels"] = labels.clone());
        }
        let array = ZarrArray::open_with(nginx.url("data/crop1/s0"), &quick(0)).unwrap();
        assert_eq!(
            array.metadata().container().to_str(),
            Some(&nginx.url("data/crop1")[..]),
            "{name}"
        );
        assert_eq!(array.info().attrs()["labels"], labels, "{name}");
        assert_same(&array, name);
        fs::remove_dir_all(group).unwrap();
    }
}

#[test]
fn names_with_all_kinds_of_characters_are_found() {
    let Some(nginx) = Nginx::start("") else { return };
    put("v3_bytes.zarr", &nginx.root(), "größe 100%+a/#1?.zarr");
    let url = nginx.url("gr%C3%B6%C3%9Fe%20100%25+a/%231%3F.zarr/s0");
    assert_same(&ZarrArray::open_with(url, &quick(0)).unwrap(), "v3_bytes.zarr");
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let Some(nginx) = Nginx::start("") else { return };
    put("v3_bytes.zarr", &nginx.root(), "crop.zarr");
    let error = ZarrArray::open_with(nginx.url("crop.zarr/s1"), &quick(0)).unwrap_err();
    assert!(matches!(&error, ZarrError::NotFound { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(&nginx.url("crop.zarr/s1")) && text.contains("crop.zarr exists"),
        "{text}"
    );
    let error = ZarrArray::open_with(nginx.url("none.zarr/s1"), &quick(0)).unwrap_err();
    assert!(matches!(&error, ZarrError::NotFound { .. }), "{error}");
    // As s0, the array would be a scale level.
    fs::rename(nginx.root().join("crop.zarr/s0"), nginx.root().join("crop.zarr/labels")).unwrap();
    let error = ZarrArray::open_with(nginx.url("crop.zarr"), &quick(0)).unwrap_err();
    assert!(matches!(&error, ZarrError::NotAZarrArray { .. }), "{error}");
    write(&nginx.root().join("crop.h5"), "\u{89}HDF");
    fs::write(nginx.root().join("crop.h5"), b"\x89HDF\r\n\x1a\n123").unwrap();
    let error = ZarrArray::open_with(nginx.url("crop.h5"), &quick(0)).unwrap_err();
    assert!(error.to_string().contains("h5py.File("), "{error}");
}

#[test]
fn a_folder_without_metadata_is_none_whether_it_is_shown_or_not() {
    for (settings, words) in [("", "does not exist"), ("autoindex on;", "a folder that is shown")] {
        let Some(nginx) = Nginx::start(settings) else { return };
        write(&nginx.root().join("data/readme.txt"), "hello");
        let error = ZarrArray::open_with(nginx.url("data"), &quick(0)).unwrap_err();
        assert!(error.is_not_found() && error.to_string().contains(words), "{error}");
    }
}

#[test]
fn an_empty_file_is_a_file_and_no_chunk() {
    let Some(nginx) = Nginx::start("") else { return };
    put("v2_raw.zarr", &nginx.root(), "crop.zarr");
    put("v3_sharded.zarr", &nginx.root(), "shards.zarr");
    for file in ["crop.zarr/s0/0.0.0", "shards.zarr/s0/c/0/0/0", "empty.zip", "empty"] {
        fs::write(nginx.root().join(file), "").unwrap();
    }
    for path in ["crop.zarr/s0", "shards.zarr/s0"] {
        let array = ZarrArray::open_with(nginx.url(path), &quick(0)).unwrap();
        let error = read_error(&array);
        assert!(matches!(&error, ZarrError::ChunkCorrupt { .. }), "{error}");
    }
    let error = ZarrArray::open_with(nginx.url("empty"), &quick(0)).unwrap_err();
    assert!(error.to_string().contains("it is a file"), "{error}");
    let error = ZarrArray::open_with(nginx.url("empty.zip/s0"), &quick(0)).unwrap_err();
    assert!(matches!(&error, ZarrError::MetadataMalformed { .. }), "{error}");
}

#[test]
fn a_page_in_place_of_metadata_is_told() {
    let Some(nginx) = Nginx::start("error_page 404 =200 /index.html;") else { return };
    write(&nginx.root().join("index.html"), "\n<!doctype html><html>Welcome</html>");
    let error = ZarrArray::open_with(nginx.url("crop.zarr/s0"), &quick(0)).unwrap_err();
    let ZarrError::MetadataMalformed { file, reason } = &error else { panic!("{error}") };
    assert!(file.to_str().unwrap().starts_with(&nginx.url("crop.zarr")), "{error}");
    assert!(reason.contains("a page in HTML"), "{error}");
}

#[test]
fn a_server_that_does_not_list_says_so_unless_metadata_name_what_is_there() {
    let Some(nginx) = Nginx::start("") else { return };
    let options = quick(0);
    put("v3_bytes.zarr", &nginx.root(), "crop.zarr/mito");
    let root = nginx.root().join("crop.zarr");
    write(&root.join("zarr.json"), r#"{"zarr_format": 3, "node_type": "group"}"#);
    let group = ZarrGroup::open_with(nginx.url("crop.zarr"), &options).unwrap();
    for error in
        [group.groups().unwrap_err(), group.arrays().unwrap_err(), group.tree(10).unwrap_err()]
    {
        assert!(matches!(&error, ZarrError::NotListable { .. }), "{error}");
        assert!(error.to_string().contains(&nginx.url("crop.zarr")), "{error}");
    }

    // The classes of a crop, one of which is not there, and the levels of an image.
    let classes = json!({"annotation": {"class_names": ["mito", "golgi"]}});
    edit(&root.join("zarr.json"), |group| group["attributes"] = json!({"cellmap": classes}));
    let multiscales = json!({"multiscales": [{"datasets": [{"path": "s0"}, {"path": "s1"}]}]});
    edit(&root.join("mito/zarr.json"), |group| group["attributes"] = json!({"ome": multiscales}));
    let group = ZarrGroup::open_with(nginx.url("crop.zarr"), &options).unwrap();
    assert_eq!(group.groups().unwrap(), ["mito"]);
    let found = group.arrays().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].to_str(), Some(&nginx.url("crop.zarr/mito/s0")[..]));
    assert_same(&ZarrArray::open_with(&found[0], &quick(0)).unwrap(), "v3_bytes.zarr");
    let tree = group.tree(10).unwrap();
    assert_eq!(tree.root.children.len(), 1);
    let mito = &tree.root.children[0];
    assert_eq!((mito.name.as_str(), mito.children.len()), ("mito", 1));
    let TreeKind::Array(array) = &mito.children[0].kind else { panic!("{mito:?}") };
    assert_eq!((&array.shape[..], array.stored_bytes), (&[5, 7, 6][..], None));
}

#[test]
fn archives_are_read_in_parts() {
    let Some(nginx) = Nginx::start("") else { return };
    copy(&zips(), &nginx.root());
    for (path, fixture) in [
        ("zipstore_v2.zarr.zip/labels/s0", "v2_missing.zarr"),
        ("zipstore_v2_deflated.zarr.zip/labels/s0", "v2_missing.zarr"),
        ("zipstore_v3.zarr.zip/labels/s0", "v3_sharded_missing.zarr"),
        ("folder.zip/v3_sharded_missing.zarr/s0", "v3_sharded_missing.zarr"),
    ] {
        let array = ZarrArray::open_with(nginx.url(path), &quick(0)).unwrap();
        assert_same(&array, fixture);
        let requests = nginx.requests();
        let whole = requests.iter().filter(|line| line.starts_with("GET ") && line.ends_with(" -"));
        assert_eq!(whole.count(), 0, "{requests:?}");
    }
}

#[test]
fn a_password_in_the_url_is_sent_and_never_shown() {
    let settings = "auth_basic voxmask; auth_basic_user_file users;";
    let Some(nginx) = Nginx::start(settings) else { return };
    put("v3_bytes.zarr", &nginx.root(), "crop.zarr");
    let url = |user: &str| format!("http://{user}@127.0.0.1:{}/crop.zarr/s0", nginx.port());
    let array = ZarrArray::open_with(url("me:secretPassword"), &quick(0)).unwrap();
    assert_same(&array, "v3_bytes.zarr");
    let shown = format!("{array:?} {:?}", array.metadata());
    assert!(!shown.contains("secretPassword") && !shown.contains("me:"), "{shown}");
    for user in ["me:wrongSecret", "you:secretPassword"] {
        let error = ZarrArray::open_with(url(user), &quick(0)).unwrap_err();
        let text = format!("{} {error:?}", chain(&error));
        assert!(text.contains("access denied (401") && text.contains("crop.zarr"), "{text}");
        assert!(!text.contains("ecret") && !text.contains("you"), "{text}");
        assert_eq!(io_kind(&error), Some(ErrorKind::PermissionDenied));
    }
    // A signature goes with every request, and nowhere else.
    let url = format!("{}?X-Signature=secretPassword", url("me:secretPassword"));
    let array = ZarrArray::open_with(url, &quick(0)).unwrap();
    nginx.requests();
    array.data().unwrap();
    assert!(nginx.requests().iter().all(|line| line.contains("?X-Signature=secretPassword")));
    assert!(!format!("{array:?} {:?}", array.metadata()).contains("ecret"));
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://me:secret@127.0.0.1:{port}/crop.zarr/s0?secret=1");
    let error = ZarrArray::open_with(url, &quick(1)).unwrap_err();
    assert_eq!(io_kind(&error), Some(ErrorKind::ConnectionRefused));
    let text = format!("{} {error:?}", chain(&error));
    assert!(text.contains(&format!("http://127.0.0.1:{port}/crop.zarr/zarr.json")), "{text}");
    assert!(text.contains("cannot connect") && !text.contains("secret"), "{text}");
}

#[test]
fn urls_that_mean_nothing_are_refused() {
    for (url, why) in [
        ("http://", "host"),
        ("s3://", "bucket"),
        ("s3://a:secret@bucket/x", "AWS_ACCESS_KEY_ID"),
        ("s3://bucket/x?secret=1", "query"),
    ] {
        let error = ZarrArray::open(url).unwrap_err();
        assert!(matches!(&error, ZarrError::InvalidLocation { .. }), "{error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(why) && !text.contains("secret"), "{text}");
    }
    let error = ZarrArray::open_writable("http://127.0.0.1:1/x").unwrap_err();
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    let error = zarr_source::Staging::new("s3://bucket/out.zarr", false).unwrap_err();
    assert!(matches!(&error, ZarrError::Unsupported { .. }), "{error}");
}

#[test]
fn a_runtime_around_the_caller_does_no_harm() {
    let Some(nginx) = Nginx::start("") else { return };
    put("v3_sharded.zarr", &nginx.root(), "crop.zarr");
    let url = nginx.url("crop.zarr/s0");
    let read =
        move || assert_same(&ZarrArray::open_with(&url, &quick(0)).unwrap(), "v3_sharded.zarr");
    for mut builder in
        [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()]
    {
        let read = read.clone();
        builder.build().unwrap().block_on(async move { read() });
    }
}

#[test]
fn options_do_not_show_the_password_of_an_endpoint() {
    let options = StoreOptions {
        endpoint: Some("http://me:secret@host".to_owned()),
        ..StoreOptions::default()
    };
    assert!(!format!("{options:?}").contains("secret"));
}

#[test]
fn a_group_that_cannot_be_listed_is_not_called_empty() {
    let Some(nginx) = Nginx::start("") else { return };
    let root = nginx.root().join("crop.zarr");
    write(&root.join("zarr.json"), r#"{"zarr_format": 3, "node_type": "group"}"#);
    for path in ["crop.zarr", "crop.zarr/mito"] {
        let error = ZarrArray::open_with(nginx.url(path), &quick(0)).unwrap_err();
        assert!(error.is_not_found(), "{error}");
        assert!(error.to_string().contains("what is in it cannot be listed"), "{error}");
    }
}
