//! Array configs: TOML, JSON or YAML as the first byte says, also as DaCapo stores them.

#![no_main]

use array_config::ArrayConfig;
use array_core::Array;
use fuzz::{Container, tell, text};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static CONTAINER: Container = {
        let container = Container::new();
        let array = r#"{"zarr_format": 2, "shape": [4, 4, 4], "chunks": [4, 4, 4], "dtype": "|u1",
            "fill_value": 1, "order": "C", "compressor": null, "filters": null}"#;
        for folder in ["a.zarr", "crop.zarr/labels", "data.zarr/raw"] {
            container.write(&format!("{folder}/.zarray"), array);
            container.write(&format!("{folder}/.zattrs"), r#"{"voxel_size": [4, 4, 4], "offset": [0, 8, 16]}"#);
        }
        container
    };
}

fuzz_target!(|data: &[u8]| {
    let Some((form, text)) = text(data) else { return };
    let config = match form {
        b't' => ArrayConfig::from_toml(text),
        b'j' => ArrayConfig::from_json(text),
        _ => ArrayConfig::from_yaml(text),
    };
    let config = match config {
        Ok(config) => config,
        Err(error) => return tell(&error),
    };
    let written = serde_json::to_string(&config).expect("a config has a form in JSON");
    assert_eq!(ArrayConfig::from_json(&written).ok().as_ref(), Some(&config), "{written}");
    // Nothing is asked of other machines.
    if text.contains("//") || written.contains("//") {
        return;
    }
    CONTAINER.with(|container| match config.build(&container.path("")) {
        Ok(array) => assert!(!array.info().shape().is_empty()),
        Err(error) => tell(&error),
    });
});
