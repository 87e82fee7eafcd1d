//! Elements as bytes.

use array_core::{AnyArray, AnyView, DType, Element, Scalar, for_any};
use bytemuck::{AnyBitPattern, CheckedBitPattern, NoUninit};
use ndarray::{ArrayViewD, IxDyn};

/// The value that bytes in native order hold, if they hold one.
pub(crate) fn scalar(dtype: DType, bytes: &[u8]) -> Option<Scalar> {
    fn plain<T: AnyBitPattern + Into<Scalar>>(bytes: &[u8]) -> Option<Scalar> {
        bytemuck::try_pod_read_unaligned::<T>(bytes).ok().map(Into::into)
    }
    match dtype {
        DType::Bool => bytemuck::checked::try_pod_read_unaligned(bytes).ok().map(Scalar::Bool),
        DType::U8 => plain::<u8>(bytes),
        DType::U16 => plain::<u16>(bytes),
        DType::U32 => plain::<u32>(bytes),
        DType::U64 => plain::<u64>(bytes),
        DType::I8 => plain::<i8>(bytes),
        DType::I16 => plain::<i16>(bytes),
        DType::I32 => plain::<i32>(bytes),
        DType::I64 => plain::<i64>(bytes),
        DType::F32 => plain::<f32>(bytes),
        DType::F64 => plain::<f64>(bytes),
    }
}

/// The bytes of all elements, in C order.
pub(crate) fn array_bytes(array: &AnyArray) -> Vec<u8> {
    fn bytes<T: NoUninit>(array: &ndarray::ArrayD<T>) -> Vec<u8> {
        match array.as_slice() {
            Some(elements) => bytemuck::cast_slice(elements).to_vec(),
            None => array.iter().flat_map(bytemuck::bytes_of).copied().collect(),
        }
    }
    for_any!(AnyArray, array, |array| bytes(array))
}

/// Hands the elements that `bytes` hold to `use_view`; otherwise what is wrong with them.
pub(crate) fn with_elements<R>(
    dtype: DType,
    shape: &[usize],
    bytes: &[u8],
    use_view: impl FnOnce(AnyView<'_>) -> R,
) -> Result<R, String> {
    match dtype {
        DType::Bool => {
            let elements = bytemuck::checked::try_cast_slice::<u8, bool>(bytes)
                .map_err(|_| "an element of type bool is neither 0 nor 1".to_owned())?;
            with_slice(shape, elements, use_view)
        }
        DType::U8 => with_plain::<u8, _>(shape, bytes, use_view),
        DType::U16 => with_plain::<u16, _>(shape, bytes, use_view),
        DType::U32 => with_plain::<u32, _>(shape, bytes, use_view),
        DType::U64 => with_plain::<u64, _>(shape, bytes, use_view),
        DType::I8 => with_plain::<i8, _>(shape, bytes, use_view),
        DType::I16 => with_plain::<i16, _>(shape, bytes, use_view),
        DType::I32 => with_plain::<i32, _>(shape, bytes, use_view),
        DType::I64 => with_plain::<i64, _>(shape, bytes, use_view),
        DType::F32 => with_plain::<f32, _>(shape, bytes, use_view),
        DType::F64 => with_plain::<f64, _>(shape, bytes, use_view),
    }
}

fn with_plain<T, R>(
    shape: &[usize],
    bytes: &[u8],
    use_view: impl FnOnce(AnyView<'_>) -> R,
) -> Result<R, String>
where
    T: Element + NoUninit + AnyBitPattern,
    for<'a> AnyView<'a>: From<ArrayViewD<'a, T>>,
{
    match bytemuck::try_cast_slice::<u8, T>(bytes) {
        Ok(elements) => with_slice(shape, elements, use_view),
        // Byte buffers are aligned for every type in practice, but nothing promises it.
        Err(bytemuck::PodCastError::TargetAlignmentGreaterAndInputNotAligned) => {
            let elements: Vec<T> = bytemuck::pod_collect_to_vec(bytes);
            with_slice(shape, &elements, use_view)
        }
        Err(_) => Err(format!("{} bytes are not elements of type {}", bytes.len(), T::DTYPE)),
    }
}

fn with_slice<T, R>(
    shape: &[usize],
    elements: &[T],
    use_view: impl FnOnce(AnyView<'_>) -> R,
) -> Result<R, String>
where
    T: Element + CheckedBitPattern,
    for<'a> AnyView<'a>: From<ArrayViewD<'a, T>>,
{
    let view = ArrayViewD::from_shape(IxDyn(shape), elements).map_err(|_| {
        format!("it holds {} elements, which are not of the shape {shape:?}", elements.len())
    })?;
    Ok(use_view(view.into()))
}
