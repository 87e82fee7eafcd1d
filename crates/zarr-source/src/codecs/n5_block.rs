//! The blocks of N5 as a codec: a header, and behind it the elements in big-endian order, compressed.
//!
//! The header has the mode, the number of axes and the extents, x first. A block at the border of an array
//! may be cut off there or have its full size; what it lacks is zero.

use std::any::Any;
use std::borrow::Cow;
use std::num::NonZeroU64;
use std::sync::Arc;

use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn, Slice};
use serde_json::{Map, Value, json};
use zarrs::array::codec::api::{
    ArrayBytes, ArrayBytesRaw, ArrayCodecTraits, ArrayToBytesCodecTraits, BytesRepresentation,
    BytesToBytesCodecTraits, Codec, CodecError, CodecMetadataOptions, CodecOptions,
    CodecRuntimePluginV3, CodecTraits, PartialDecoderCapability, PartialEncoderCapability,
    RecommendedConcurrency, register_codec_v3,
};
use zarrs::array::{DataType, FillValue};
use zarrs::metadata::Configuration;
use zarrs::metadata::v3::MetadataV3;
use zarrs::plugin::{
    ExtensionName, PluginConfigurationInvalidError, PluginCreateError, ZarrVersion,
};

use super::memory_for;

/// The name of the codec. Its only setting is the codec that compresses the elements, if there is one.
pub(crate) const NAME: &str = "n5_block";
pub(crate) const COMPRESSION: &str = "compression";

/// The mode of blocks whose elements all have one size.
const MODE_DEFAULT: u16 = 0;

/// Makes the codec known to zarrs.
pub(super) fn register() {
    register_codec_v3(CodecRuntimePluginV3::new(|name| name == NAME, create));
}

fn create(metadata: &MetadataV3) -> Result<Codec, PluginCreateError> {
    let invalid = |reason: String| PluginConfigurationInvalidError::new(reason).into();
    let setting = metadata.configuration().and_then(|settings| settings.get(COMPRESSION));
    let compression = match setting {
        None | Some(Value::Null) => None,
        Some(value) => {
            let metadata: MetadataV3 = serde_json::from_value(value.clone())
                .map_err(|error| invalid(error.to_string()))?;
            match Codec::from_metadata(&metadata)? {
                Codec::BytesToBytes(codec) => Some(Compression { codec, metadata }),
                _ => return Err(invalid(format!("{} does not compress bytes", metadata.name()))),
            }
        }
    };
    Ok(Codec::ArrayToBytes(Arc::new(N5Block { compression })))
}

#[derive(Debug)]
struct N5Block {
    compression: Option<Compression>,
}

#[derive(Debug)]
struct Compression {
    codec: Arc<dyn BytesToBytesCodecTraits>,
    metadata: MetadataV3,
}

impl ExtensionName for N5Block {
    fn name(&self, _version: ZarrVersion) -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed(NAME))
    }
}

impl CodecTraits for N5Block {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn configuration(
        &self,
        _version: ZarrVersion,
        _options: &CodecMetadataOptions,
    ) -> Option<Configuration> {
        let metadata = self.compression.as_ref().map(|compression| &compression.metadata);
        Some(Map::from_iter([(COMPRESSION.to_owned(), json!(metadata))]).into())
    }

    fn partial_decoder_capability(&self) -> PartialDecoderCapability {
        PartialDecoderCapability { partial_read: false, partial_decode: false }
    }

    fn partial_encoder_capability(&self) -> PartialEncoderCapability {
        PartialEncoderCapability { partial_encode: false }
    }
}

impl ArrayCodecTraits for N5Block {
    fn recommended_concurrency(
        &self,
        _shape: &[NonZeroU64],
        _data_type: &DataType,
    ) -> Result<RecommendedConcurrency, CodecError> {
        Ok(RecommendedConcurrency::new_maximum(1))
    }
}

impl ArrayToBytesCodecTraits for N5Block {
    fn into_dyn(self: Arc<Self>) -> Arc<dyn ArrayToBytesCodecTraits> {
        self
    }

    fn encoded_representation(
        &self,
        _shape: &[NonZeroU64],
        _data_type: &DataType,
        _fill_value: &FillValue,
    ) -> Result<BytesRepresentation, CodecError> {
        Ok(BytesRepresentation::UnboundedSize)
    }

    fn encode<'a>(
        &self,
        bytes: ArrayBytes<'a>,
        shape: &[NonZeroU64],
        data_type: &DataType,
        _fill_value: &FillValue,
        options: &CodecOptions,
    ) -> Result<ArrayBytesRaw<'a>, CodecError> {
        let extent = |extent: &NonZeroU64| u32::try_from(extent.get());
        let extents: Result<Vec<u32>, _> = shape.iter().map(extent).collect();
        let (Ok(extents), Ok(rank)) = (extents, u16::try_from(shape.len())) else {
            return Err(failed(format!("an N5 block cannot have the shape {shape:?}")));
        };
        let mut elements = bytes.into_fixed()?.into_owned();
        swap_to_or_from_big_endian(&mut elements, element_size(data_type)?);
        let elements = match &self.compression {
            Some(compression) => compression.codec.encode(Cow::Owned(elements), options)?,
            None => Cow::Owned(elements),
        };
        let mut block = [MODE_DEFAULT.to_be_bytes(), rank.to_be_bytes()].concat();
        for extent in extents.iter().rev() {
            block.extend(extent.to_be_bytes());
        }
        block.extend_from_slice(&elements);
        Ok(Cow::Owned(block))
    }

    fn decode<'a>(
        &self,
        bytes: ArrayBytesRaw<'a>,
        shape: &[NonZeroU64],
        data_type: &DataType,
        _fill_value: &FillValue,
        options: &CodecOptions,
    ) -> Result<ArrayBytes<'a>, CodecError> {
        let size = element_size(data_type)?;
        let full: Option<Vec<usize>> =
            shape.iter().map(|extent| usize::try_from(extent.get()).ok()).collect();
        let full = full.ok_or_else(|| failed(format!("{shape:?} does not fit into memory")))?;
        let (extents, encoded) = header(&bytes, &full)?;
        // No overflow: a block of the full shape fits into memory, and no extent is larger.
        let expected = extents.iter().product::<usize>().saturating_mul(size);
        let mut elements = self.elements(encoded, expected, options)?;
        if elements.len() != expected {
            return Err(failed(format!(
                "the header says {extents:?} elements, which are {expected} bytes; it decodes to {}",
                elements.len()
            )));
        }
        swap_to_or_from_big_endian(&mut elements, size);
        if extents == full {
            return Ok(ArrayBytes::new_flen(elements));
        }
        padded(&elements, &extents, &full, size).map(ArrayBytes::new_flen)
    }
}

impl N5Block {
    /// The decompressed elements.
    fn elements(
        &self,
        encoded: &[u8],
        expected: usize,
        options: &CodecOptions,
    ) -> Result<Vec<u8>, CodecError> {
        let Some(compression) = &self.compression else {
            return Ok(encoded.to_vec());
        };
        let size = u64::try_from(expected).unwrap_or(u64::MAX);
        let representation = BytesRepresentation::FixedSize(size);
        let decoded = compression.codec.decode(Cow::Borrowed(encoded), &representation, options)?;
        Ok(decoded.into_owned())
    }
}

fn failed(reason: String) -> CodecError {
    CodecError::Other(reason)
}

fn element_size(data_type: &DataType) -> Result<usize, CodecError> {
    let size = data_type.fixed_size().filter(|&size| size > 0);
    size.ok_or_else(|| failed(format!("N5 blocks do not hold elements of type {data_type}")))
}

/// The extents that a header has, in array order, and what lies behind it.
fn header<'a>(block: &'a [u8], full: &[usize]) -> Result<(Vec<usize>, &'a [u8]), CodecError> {
    let short = || failed(format!("the block has {} bytes and ends in its header", block.len()));
    let (mode, rest) = block.split_first_chunk::<2>().ok_or_else(short)?;
    match u16::from_be_bytes(*mode) {
        MODE_DEFAULT => {}
        1 => return Err(failed("N5 blocks of varying length (mode 1) are not supported".into())),
        2 => return Err(failed("N5 blocks of objects (mode 2) are not supported".into())),
        mode => return Err(failed(format!("{mode} is no mode of an N5 block"))),
    }
    let (rank, mut rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
    let rank = u16::from_be_bytes(*rank);
    if usize::from(rank) != full.len() {
        let axes = full.len();
        return Err(failed(format!("the header has {rank} axes, the array has {axes}")));
    }
    let mut extents = Vec::with_capacity(full.len());
    for _ in full {
        let (extent, behind) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        rest = behind;
        extents.push(usize::try_from(u32::from_be_bytes(*extent)).unwrap_or(usize::MAX));
    }
    extents.reverse();
    if extents.iter().zip(full).any(|(&extent, &full)| extent == 0 || extent > full) {
        return Err(failed(format!(
            "the header says {extents:?} elements, in blocks of {full:?} (z, y, x)"
        )));
    }
    Ok((extents, rest))
}

/// Swaps the bytes of each element where the machine is not big-endian itself.
fn swap_to_or_from_big_endian(elements: &mut [u8], size: usize) {
    fn swap<const SIZE: usize>(elements: &mut [u8]) {
        for element in elements.as_chunks_mut::<SIZE>().0 {
            element.reverse();
        }
    }
    if cfg!(target_endian = "big") {
        return;
    }
    match size {
        2 => swap::<2>(elements),
        4 => swap::<4>(elements),
        8 => swap::<8>(elements),
        _ => {}
    }
}

/// A block that is cut off, with zeros up to its full shape.
fn padded(
    elements: &[u8],
    extents: &[usize],
    full: &[usize],
    size: usize,
) -> Result<Vec<u8>, CodecError> {
    let with_bytes = |extents: &[usize]| IxDyn(&[extents, &[size]].concat());
    let cut = ArrayViewD::from_shape(with_bytes(extents), elements)
        .map_err(|error| failed(error.to_string()))?;
    // No overflow: the size of a whole block was checked when the array was opened.
    let len = full.iter().product::<usize>().saturating_mul(size);
    let mut zeros = memory_for(len)?;
    zeros.resize(len, 0);
    let mut whole = ArrayD::from_shape_vec(with_bytes(full), zeros)
        .map_err(|error| failed(error.to_string()))?;
    let mut part = whole.view_mut();
    for (axis, &extent) in extents.iter().enumerate() {
        part.slice_axis_inplace(Axis(axis), Slice::from(..extent));
    }
    part.assign(&cut);
    Ok(whole.into_raw_vec_and_offset().0)
}
