//! The keys of N5 blocks: the index of a block, x first.

use std::borrow::Cow;

use zarrs::array::chunk_key_encoding::api::{
    ChunkKeyEncoding, ChunkKeyEncodingRuntimePlugin, ChunkKeyEncodingTraits,
    register_chunk_key_encoding,
};
use zarrs::metadata::Configuration;
use zarrs::metadata::v3::MetadataV3;
use zarrs::plugin::{ExtensionName, PluginCreateError, ZarrVersion};
use zarrs::storage::StoreKey;

/// The name of the encoding, which has no settings.
pub(crate) const NAME: &str = "n5_keys";

/// Makes the encoding known to zarrs.
pub(super) fn register() {
    register_chunk_key_encoding(ChunkKeyEncodingRuntimePlugin::new(
        |name| name == NAME,
        N5Keys::create,
    ));
}

#[derive(Debug)]
struct N5Keys;

impl ExtensionName for N5Keys {
    fn name(&self, _version: ZarrVersion) -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed(NAME))
    }
}

impl ChunkKeyEncodingTraits for N5Keys {
    fn create(_metadata: &MetadataV3) -> Result<ChunkKeyEncoding, PluginCreateError> {
        Ok(ChunkKeyEncoding::new(Self))
    }

    fn configuration(&self) -> Configuration {
        Configuration::default()
    }

    fn encode(&self, index: &[u64]) -> StoreKey {
        let numbers: Vec<String> = index.iter().rev().map(u64::to_string).collect();
        StoreKey::new(numbers.join("/")).expect("numbers between slashes are a key")
    }
}
