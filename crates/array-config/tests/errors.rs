//! What is wrong with a config is told with its place.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use array_config::{ArrayConfig, ConfigError};
use serde_json::{Value, json};

fn error(config: &Value) -> String {
    ArrayConfig::from_json(&config.to_string()).unwrap_err().to_string()
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let zarr = || json!({"kind": "zarr", "path": "a.zarr"});
    let dacapo = || json!({"__type__": "ZarrArrayConfig", "file_name": "a.zarr", "dataset": "s0"});
    let cases = [
        (json!(3), "the config: expected a table, found 3"),
        (json!([zarr()]), "the config: expected a table, found a list of 1 values"),
        (json!({}), "the config: it is no array: neither `kind` nor `__type__`"),
        (json!({"a": {"b": [zarr()]}}), "parts of it are: a.b[0]"),
        (
            json!({"kind": "zarr", "__type__": "ZarrArrayConfig"}),
            "the config: it has both `kind` and",
        ),
        (json!({"kind": 3}), "kind: expected text, found 3"),
        (json!({"kind": "Zarr"}), "kind: expected one of zarr, crop_group, crop, mask"),
        (json!({"kind": "zarr"}), "path: it is missing"),
        (json!({"kind": "zarr", "path": ["a"]}), "path: expected text, found a list of 1 values"),
        (
            json!({"kind": "zarr", "path": "a", "pth": 1}),
            "the config: unknown key \"pth\"; known are kind, path, dataset",
        ),
        (
            json!({"kind": "zarr", "path": "a", "voxel_size": 4}),
            "voxel_size: expected a list of numbers, found 4",
        ),
        (
            json!({"kind": "zarr", "path": "a", "voxel_size": [4, "x"]}),
            "voxel_size[1]: \"x\" is not exact",
        ),
        (
            json!({"kind": "zarr", "path": "a", "offset": [4, null]}),
            "offset[1]: expected a number, found null",
        ),
        (
            json!({"kind": "zarr", "path": "a", "offset": [1.3333333333333333]}),
            "offset[0]: 1.3333333333333333 is not exact",
        ),
        (
            json!({"kind": "zarr", "path": "a", "unit": "second"}),
            "unit: expected a unit of length such as nm, found \"second\"",
        ),
        (
            json!({"kind": "zarr", "path": "a", "translation": "center"}),
            "translation: expected one of corner, centre, found",
        ),
        (
            json!({"kind": "zarr", "path": "a", "unit_voxels": 1}),
            "unit_voxels: expected true or false, found 1",
        ),
        (
            json!({"kind": "zarr", "path": "a", "numbers": "nm"}),
            "numbers: expected one of declared, dacapo",
        ),
        (json!({"kind": "zarr", "path": "a", "scale": "-8nm"}), "scale: "),
        (json!({"kind": "zarr", "path": "a", "scale": 8}), "scale: expected text, found 8"),
        (json!({"kind": "crop", "source": zarr()}), "roi: it is missing"),
        (json!({"kind": "crop", "roi": "0-8", "source": zarr()}), "roi: "),
        (json!({"kind": "crop", "roi": "[8:0]", "source": zarr()}), "roi: "),
        (json!({"kind": "crop", "roi": 8, "source": zarr()}), "roi: expected a region such as"),
        (
            json!({"kind": "crop", "roi": [[0], [8], [9]], "source": zarr()}),
            "roi: expected [offset, shape], found a list of 3",
        ),
        (
            json!({"kind": "crop", "roi": [[0], [8, 9]], "source": zarr()}),
            "roi: the offset has 1 axes, the shape 2",
        ),
        (json!({"kind": "crop", "roi": [[0], [-8]], "source": zarr()}), "roi: "),
        (
            json!({"kind": "crop", "roi": [[null], [8]], "source": zarr()}),
            "roi: axis 0 has the extent 8 but no offset",
        ),
        (
            json!({"kind": "crop", "roi": [["a"], [8]], "source": zarr()}),
            "roi[0][0]: \"a\" is not exact",
        ),
        (
            json!({"kind": "crop", "roi": {"offset": [0]}, "source": zarr()}),
            "roi.shape: it is missing",
        ),
        (
            json!({"kind": "crop", "roi": {"offset": [0], "shape": [8], "size": 1}, "source": zarr()}),
            "roi: unknown key \"size\"",
        ),
        (json!({"kind": "mask", "source": zarr()}), "groups: it is missing"),
        (json!({"kind": "mask", "groups": [], "source": zarr()}), "groups: there are no groups"),
        (
            json!({"kind": "mask", "groups": 3, "source": zarr()}),
            "groups: expected a list of groups, found 3",
        ),
        (
            json!({"kind": "mask", "groups": [3], "source": zarr()}),
            "groups[0]: expected a group such as",
        ),
        (
            json!({"kind": "mask", "groups": [["a"]], "source": zarr()}),
            "groups[0]: expected [name, [ids]], found a list of 1",
        ),
        (
            json!({"kind": "mask", "groups": [[1, [2]]], "source": zarr()}),
            "groups[0][0]: expected text, found 1",
        ),
        (
            json!({"kind": "mask", "groups": [["a", 2]], "source": zarr()}),
            "groups[0][1]: expected a list of ids, found 2",
        ),
        (
            json!({"kind": "mask", "groups": [["a", [1.5]]], "source": zarr()}),
            "groups[0][1][0]: expected an integer of 64 bits, found 1.5",
        ),
        (
            json!({"kind": "mask", "groups": [["a", ["mito"]]], "source": zarr()}),
            "groups[0][1][0]: expected an integer",
        ),
        (
            json!({"kind": "mask", "groups": {"a b": [1, true]}, "source": zarr()}),
            "groups[\"a b\"][1]: expected an integer",
        ),
        (
            json!({"kind": "mask", "groups": [{"name": "a"}], "source": zarr()}),
            "groups[0].ids: it is missing",
        ),
        (
            json!({"kind": "mask", "groups": [{"name": "a", "ids": [], "id": 1}], "source": zarr()}),
            "groups[0]: unknown key \"id\"",
        ),
        (
            json!({"kind": "mask", "groups": [["a", [1]]], "rule": "no37", "source": zarr()}),
            "rule: expected one of strict, generic, cnnectome",
        ),
        (json!({"kind": "mask", "groups": [["a", [1]]]}), "source: it is missing"),
        (json!({"kind": "ones", "source": "a.zarr"}), "source: expected a table, found \"a.zarr\""),
        (
            json!({"kind": "ones", "source": {"kind": "ones", "source": {"kind": "zarr", "path": 3}}}),
            "source.source.path: expected text, found 3",
        ),
        (
            json!({"kind": "sum", "sources": zarr()}),
            "sources: expected a list of arrays, found a table",
        ),
        (json!({"kind": "sum", "sources": []}), "sources: expected at least one array"),
        (
            json!({"kind": "concat", "sources": [zarr(), {"kind": "zarr"}]}),
            "sources[1].path: it is missing",
        ),
        (json!({"kind": "constant", "source": zarr()}), "value: it is missing"),
        (
            json!({"kind": "constant", "value": 1, "dtype": "u8", "source": zarr()}),
            "dtype: expected an element type such as uint8",
        ),
        (
            json!({"kind": "resample", "upsample": [0], "source": zarr()}),
            "upsample[0]: expected a factor from 1, found 0",
        ),
        (
            json!({"kind": "resample", "method": "linear", "source": zarr()}),
            "method: expected one of nearest, mode, mean, found \"linear\"",
        ),
        (
            json!({"kind": "crop_group", "path": "a", "what": "both"}),
            "what: expected one of mask, target",
        ),
        // The same in the words of DaCapo.
        (json!({"__type__": "ZarrArrayConfig", "dataset": "s0"}), "file_name: it is missing"),
        (
            json!({"__type__": "OnesArrayConfig", "source_array_config": {"__type__": "OnesArrayConfig",
            "source_array_config": {"__type__": "ZarrArrayConfig", "file_name": "a", "dataset": 3}}}),
            "source_array_config.source_array_config.dataset: expected text, found 3",
        ),
        (
            json!({"__type__": "MissingAnnotationsMaskConfig", "groupings": [["a", [1, "b"]]], "source_array_config": dacapo()}),
            "groupings[0][1][1]: expected an integer of 64 bits, found \"b\"",
        ),
        (
            json!({"__type__": "ConcatArrayConfig", "channels": ["a.b"], "source_array_configs": {"a.b": {"__type__": "ZarrArrayConfig"}}}),
            "source_array_configs[\"a.b\"].file_name: it is missing",
        ),
        (
            json!({"__type__": "ConcatArrayConfig", "channels": ["a"], "source_array_configs": {}}),
            "source_array_configs: there is no array",
        ),
        (
            json!({"__type__": "ConcatArrayConfig", "channels": [], "source_array_configs": {"a": dacapo()}}),
            "channels: there are no channels",
        ),
        (
            json!({"__type__": "ConcatArrayConfig", "channels": ["a"], "source_array_configs": [dacapo()]}),
            "source_array_configs: expected a table with the array of each channel",
        ),
        (
            json!({"__type__": "HDF5ArrayConfig"}),
            "__type__: \"HDF5ArrayConfig\" is no known array config; known are ZarrArrayConfig, CropArrayConfig",
        ),
        (
            json!({"__type__": "TiffArrayConfig"}),
            "the config: TiffArrayConfig is not supported: TIFF files are not read",
        ),
        (
            json!({"__type__": "OnesArrayConfig", "source_array_config": {"__type__": "DVIDArrayConfig"}}),
            "source_array_config: DVIDArrayConfig is not supported",
        ),
        (
            json!({"__type__": "IntensitiesArrayConfig", "min": 0, "max": 255}),
            "IntensitiesArrayConfig is not supported",
        ),
        (
            json!({"__type__": "RawGTDatasetConfig", "gt_config": dacapo(), "raw_config": dacapo()}),
            "the config: a RawGTDatasetConfig is no array; parts of it are: gt_config, raw_config (file.yaml#part reads one)",
        ),
        (
            json!({"__type__": "ResampledArrayConfig", "upsample": [2, 1], "downsample": [1, 1], "interp_order": true, "source_array_config": dacapo()}),
            "interp_order: upsampling of order 1 depends on the region",
        ),
        (
            json!({"__type__": "ResampledArrayConfig", "upsample": [2, 1], "downsample": [1, 1], "interp_order": "cubic", "source_array_config": dacapo()}),
            "interp_order: expected an integer of 64 bits, found \"cubic\"",
        ),
    ];
    for (config, expected) in cases {
        let found = error(&config);
        assert!(found.contains(expected), "{config}\nfound:    {found}\nexpected: {expected}");
    }
}

#[test]
fn a_text_that_is_not_of_its_format_is_refused_with_the_place() {
    let syntax = |error: ConfigError| {
        assert!(matches!(error, ConfigError::Syntax { .. }), "{error}");
        error.to_string()
    };
    let toml = syntax(ArrayConfig::from_toml("kind = \"zarr\"\npath = \n").unwrap_err());
    assert!(toml.starts_with("not valid TOML: ") && toml.contains("line 2"), "{toml}");
    let json = syntax(ArrayConfig::from_json("{\"kind\": \"zarr\",\n}").unwrap_err());
    assert!(json.starts_with("not valid JSON: ") && json.contains("line 2"), "{json}");
    let yaml = syntax(ArrayConfig::from_yaml("kind: zarr\npath: [a\n").unwrap_err());
    assert!(yaml.starts_with("not valid YAML: ") && yaml.contains("line"), "{yaml}");
    for (text, format) in [("", "YAML"), ("# nothing\n", "YAML")] {
        let error = ArrayConfig::from_yaml(text).unwrap_err().to_string();
        assert!(
            error.contains("expected a table, found null") || error.contains(format),
            "{error}"
        );
    }
    assert!(syntax(ArrayConfig::from_json("").unwrap_err()).contains("JSON"));
    let two = "kind: zarr\npath: a\n---\nkind: zarr\npath: b\n";
    assert!(syntax(ArrayConfig::from_yaml(two).unwrap_err()).contains("YAML"));
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let texts = [
        ArrayConfig::from_toml("kind = \"zarr\"\npath = \"a\"\npath = \"b\"\n"),
        ArrayConfig::from_json(r#"{"kind": "zarr", "path": "a", "path": "b"}"#),
        ArrayConfig::from_yaml("kind: zarr\npath: a\npath: b\n"),
    ];
    for found in texts {
        let error = found.unwrap_err();
        assert!(matches!(error, ConfigError::Syntax { .. }), "{error}");
        assert!(error.to_string().contains("path"), "{error}");
    }
}

#[test]
fn groups_in_a_toml_table_are_refused_as_their_order_would_be_lost() {
    let text =
        "kind = \"mask\"\ngroups = {b = [1], a = [2]}\nsource = {kind = \"zarr\", path = \"a\"}\n";
    let error = ArrayConfig::from_toml(text).unwrap_err().to_string();
    assert!(error.starts_with("groups: the keys of a TOML table have no order"), "{error}");
    let yaml = "kind: mask\ngroups: {b: [1], a: [2]}\nsource: {kind: zarr, path: a}\n";
    let ArrayConfig::Mask(mask) = ArrayConfig::from_yaml(yaml).unwrap() else { panic!("{yaml}") };
    let names = serde_json::to_value(&mask.groups).unwrap();
    assert_eq!((&names[0]["name"], &names[1]["name"]), (&json!("b"), &json!("a")));
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(
        json!({"kind": "zarr", "path": "a"}),
        |source, _| json!({"kind": "ones", "source": source}),
    )
}

#[test]
fn arrays_are_nested_as_deep_as_anybody_needs_and_no_deeper() {
    let deepest = nested(64);
    let config = ArrayConfig::from_json(&deepest.to_string()).unwrap();
    assert_eq!(serde_json::to_value(&config).unwrap(), deepest);
    let toml = toml::to_string(&config).unwrap();
    assert_eq!(ArrayConfig::from_toml(&toml).unwrap(), config);
    // The parser of YAML stops before that.
    let yaml = serde_saphyr::to_string(&nested(39)).unwrap();
    assert_eq!(serde_json::to_value(ArrayConfig::from_yaml(&yaml).unwrap()).unwrap(), nested(39));
    let yaml = serde_saphyr::to_string(&nested(40)).unwrap();
    assert!(matches!(ArrayConfig::from_yaml(&yaml), Err(ConfigError::Syntax { .. })));
    let error = ArrayConfig::from_json(&nested(65).to_string()).unwrap_err();
    assert!(matches!(error, ConfigError::TooDeep { limit: 64, .. }), "{error}");
    assert!(
        error.to_string().ends_with("source.source: more than 64 arrays are nested"),
        "{error}"
    );
    // Built by hand, it is refused when it is opened.
    let source = Box::new(ArrayConfig::from_json(&deepest.to_string()).unwrap());
    let deeper = ArrayConfig::Ones(array_config::OnesConfig { source });
    assert!(matches!(deeper.build("".as_ref()), Err(ConfigError::TooDeep { .. })));
}

#[test]
fn absurd_nesting_is_an_error_in_every_format_and_no_overflow_of_the_stack() {
    let depth = 200_000;
    let json = format!("{}{}", "{\"source\":".repeat(depth), "}".repeat(depth));
    assert!(ArrayConfig::from_json(&json).is_err());
    assert!(ArrayConfig::from_json(&"[".repeat(depth)).is_err());
    assert!(ArrayConfig::from_toml(&format!("a = {}", "[".repeat(depth))).is_err());
    assert!(ArrayConfig::from_toml(&format!("a{} = 1", ".a".repeat(depth))).is_err());
    assert!(ArrayConfig::from_yaml(&"[".repeat(depth)).is_err());
    assert!(ArrayConfig::from_yaml(&"- ".repeat(depth)).is_err());
    let lines = (0..3_000).map(|n| format!("{}source:\n", " ".repeat(n))).collect::<String>();
    assert!(ArrayConfig::from_yaml(&lines).is_err());
}

#[test]
fn yaml_that_refers_to_itself_or_grows_without_end_is_refused() {
    let itself = "&a\nkind: ones\nsource: *a\n";
    assert!(ArrayConfig::from_yaml(itself).is_err());
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let of = format!("*a{}, ", n - 1).repeat(9);
        bomb += &format!("a{n}: &a{n} [{}]\n", of.trim_end_matches(", "));
    }
    let error = ArrayConfig::from_yaml(&bomb).unwrap_err();
    assert!(matches!(error, ConfigError::Syntax { .. }), "{error}");
    // An anchor that is used again is an ordinary thing.
    let twice = "kind: sum\nsources:\n- &a {kind: zarr, path: x}\n- *a\n";
    let ArrayConfig::Sum(sum) = ArrayConfig::from_yaml(twice).unwrap() else { panic!("{twice}") };
    assert_eq!(sum.sources[0], sum.sources[1]);
}
