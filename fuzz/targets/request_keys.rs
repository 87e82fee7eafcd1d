//! The paths of requests.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serve::Key;

fuzz_target!(|path: &str| {
    let Ok(key) = Key::parse(path) else { return };
    let written = key.to_string();
    assert_eq!(Key::parse(&written).as_ref(), Ok(&key));
    let file = match &key {
        Key::Client { file } => file,
        Key::Document { document, .. } => document,
        Key::Chunk { index, layer, .. } => {
            assert!(index.len() <= 32);
            layer
        }
        _ => return,
    };
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    assert!(file.split('/').all(is_plain), "{file} is no path below a folder");
    assert!(!file.contains(['\\', '%', '\0', ':']), "{file} is no plain path");
});
