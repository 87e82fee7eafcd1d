//! Metadata that say where voxels lie: the attributes of a container, of an image in it, and of the array, with a
//! NUL between them. The first byte says in which format, and of how many axes the array is.

#![no_main]

use fuzz::{Container, View, look_at, parts};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

thread_local! {
    static CONTAINER: Container = Container::new();
}

fuzz_target!(|data: &[u8]| {
    let Some((form, texts)) = data.split_first() else { return };
    let Some(texts) = parts::<3>(texts) else { return };
    let attrs = texts.map(|text| match text {
        "" => Some(Map::new()),
        text => serde_json::from_str::<Map<String, Value>>(text).ok(),
    });
    let [Some(root), Some(image), Some(array)] = attrs else { return };
    CONTAINER.with(|container| {
        // A container that ends in `.n5` is one.
        let name = match form.to_ascii_lowercase() {
            b'n' => "a.n5",
            b'3' | b'c' => "3.zarr",
            _ => "2.zarr",
        };
        let shape: &[usize] = if form.is_ascii_lowercase() { &[2, 4, 4, 4] } else { &[4, 4, 4] };
        let image_name = format!("{name}/image");
        let array_name = format!("{name}/image/s0");
        for (folder, attrs) in [(name, root), (&image_name, image)] {
            write(container, name, folder, None, attrs);
        }
        write(container, name, &array_name, Some(shape), array);
        look_at(&container.path(&image_name), View::Whole);
        look_at(&container.path(&array_name), View::Whole);
    });
});

/// Writes the documents of a group, or of an array of this shape.
fn write(
    container: &Container,
    format: &str,
    folder: &str,
    shape: Option<&[usize]>,
    attrs: Map<String, Value>,
) {
    match format {
        "a.n5" => {
            let mut document = attrs;
            if let Some(shape) = shape {
                let own = json!({"dimensions": shape, "blockSize": shape, "dataType": "uint8",
                    "compression": {"type": "raw"}});
                document.extend(own.as_object().cloned().unwrap_or_default());
            }
            container
                .write(&format!("{folder}/attributes.json"), Value::from(document).to_string());
        }
        "3.zarr" => {
            let document = match shape {
                None => json!({"zarr_format": 3, "node_type": "group", "attributes": attrs}),
                Some(shape) => json!({"zarr_format": 3, "node_type": "array", "attributes": attrs,
                    "shape": shape, "data_type": "uint8", "fill_value": 1,
                    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shape}},
                    "chunk_key_encoding": {"name": "default"}, "codecs": [{"name": "bytes"}]}),
            };
            container.write(&format!("{folder}/zarr.json"), document.to_string());
        }
        _ => {
            match shape {
                None => container.write(&format!("{folder}/.zgroup"), r#"{"zarr_format": 2}"#),
                Some(shape) => {
                    let document = json!({"zarr_format": 2, "shape": shape, "chunks": shape,
                        "dtype": "|u1", "fill_value": 1, "order": "C", "compressor": null, "filters": null});
                    container.write(&format!("{folder}/.zarray"), document.to_string());
                }
            }
            container.write(&format!("{folder}/.zattrs"), Value::from(attrs).to_string());
        }
    }
}
