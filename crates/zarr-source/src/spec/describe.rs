//! Codecs in words.

use serde_json::{Map, Value};

/// The codecs of a `.zarray`, in the order in which they encode.
pub(super) fn v2(object: &Map<String, Value>) -> Vec<String> {
    let filters = object.get("filters").and_then(Value::as_array).into_iter().flatten();
    let codecs = filters.chain(object.get("compressor")).filter_map(Value::as_object);
    let names: Vec<String> = codecs.map(v2_codec).collect();
    if names.is_empty() { vec!["raw".to_owned()] } else { names }
}

/// The codecs of a `zarr.json`, in the order in which they encode.
pub(super) fn v3(object: &Map<String, Value>) -> Vec<String> {
    let codecs = object.get("codecs").and_then(Value::as_array);
    codecs.into_iter().flatten().map(v3_codec).collect()
}

/// The compression of an N5 array, such as `gzip(level 5)`.
pub(super) fn n5(object: &Map<String, Value>) -> Vec<String> {
    let codec = match (object.get("compression"), object.get("compressionType")) {
        (Some(Value::Object(codec)), _) => {
            let mut codec = codec.clone();
            let name = codec.shift_remove("type").unwrap_or_default();
            codec.shift_insert(0, "id".to_owned(), name);
            v2_codec(&codec)
        }
        (Some(Value::String(name)), _) | (None, Some(Value::String(name))) => name.clone(),
        _ => "?".to_owned(),
    };
    vec![codec]
}

/// The name and the configuration of an extension, written as `"name"` or `{"name", "configuration"}`.
fn named(value: &Value) -> Option<(&str, Option<&Map<String, Value>>)> {
    match value {
        Value::String(name) => Some((name, None)),
        Value::Object(object) => {
            let configuration = object.get("configuration").and_then(Value::as_object);
            Some((object.get("name")?.as_str()?, configuration))
        }
        _ => None,
    }
}

/// A codec of version 2, such as `blosc(lz4, clevel 5, shuffle)`.
fn v2_codec(codec: &Map<String, Value>) -> String {
    let id = codec.get("id").and_then(Value::as_str).unwrap_or("?");
    let details = codec.iter().filter(|(key, _)| *key != "id").filter_map(|(key, value)| {
        if key != "shuffle" {
            return detail(key, value).map(|text| (key == "cname", text));
        }
        let text = match value.as_i64() {
            Some(0) => "no shuffle".to_owned(),
            Some(1) => "shuffle".to_owned(),
            Some(2) => "bitshuffle".to_owned(),
            _ => "automatic shuffle".to_owned(),
        };
        Some((false, text))
    });
    with_details(id, details.collect())
}

/// A codec of version 3, such as `zstd(level 3)`.
fn v3_codec(codec: &Value) -> String {
    let Some((name, configuration)) = named(codec) else {
        return "?".to_owned();
    };
    let Some(configuration) = configuration else {
        return name.to_owned();
    };
    let details = configuration.iter().filter_map(|(key, value)| {
        // The shape of inner chunks is told by itself.
        let told = name == "sharding_indexed" && key == "chunk_shape";
        detail(key, value).filter(|_| !told).map(|text| (key == "cname", text))
    });
    with_details(name, details.collect())
}

fn with_details(name: &str, mut details: Vec<(bool, String)>) -> String {
    // The name of the compressor inside a codec comes first, the rest as it was written.
    details.sort_by_key(|(is_name, _)| !is_name);
    let details: Vec<String> = details.into_iter().map(|(_, detail)| detail).collect();
    if details.is_empty() { name.to_owned() } else { format!("{name}({})", details.join(", ")) }
}

/// One setting; those that only say "nothing special" are left out.
fn detail(key: &str, value: &Value) -> Option<String> {
    match (key, value) {
        (_, Value::Null | Value::Bool(false)) | ("typesize" | "elementsize", _) => None,
        ("blocksize", value) if value.as_u64() == Some(0) => None,
        ("cname" | "endian" | "shuffle", Value::String(text)) => Some(text.clone()),
        (key, Value::Bool(true)) => Some(key.to_owned()),
        ("codecs" | "index_codecs", Value::Array(codecs)) => {
            let names: Vec<String> = codecs.iter().map(v3_codec).collect();
            let names = names.join(" + ");
            Some(if key == "codecs" { names } else { format!("index {names}") })
        }
        ("index_location", Value::String(text)) if text == "end" => None,
        (key, Value::String(text)) => Some(format!("{key} {text}")),
        (key, value) => Some(format!("{key} {value}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn codecs_read_like_words() {
        let blosc =
            json!({"clevel": 5, "id": "blosc", "cname": "lz4", "shuffle": 1, "blocksize": 0});
        assert_eq!(v2_codec(blosc.as_object().unwrap()), "blosc(lz4, clevel 5, shuffle)");
        let zstd = json!({"name": "zstd", "configuration": {"level": 3, "checksum": false}});
        assert_eq!(v3_codec(&zstd), "zstd(level 3)");
        let sharded = json!({"name": "sharding_indexed", "configuration": {
            "chunk_shape": [8, 8],
            "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, zstd],
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
            "index_location": "end",
        }});
        assert_eq!(
            v3_codec(&sharded),
            "sharding_indexed(bytes(little) + zstd(level 3), index bytes(little) + crc32c)"
        );
    }
}
