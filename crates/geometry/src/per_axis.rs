//! Inline storage of one value per axis.

use crate::GeometryError;

/// The largest number of axes that any type here supports.
pub const MAX_DIMS: usize = 6;

/// Zero to [`MAX_DIMS`] values without an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PerAxis<T> {
    // Invariant: entries from `dims` on are `T::default()`, or equal values would compare unequal.
    values: [T; MAX_DIMS],
    // Invariant: dims <= MAX_DIMS.
    dims: usize,
}

impl<T: Copy + Default> PerAxis<T> {
    /// Copies one to [`MAX_DIMS`] values.
    pub(crate) fn new(values: &[T]) -> Result<Self, GeometryError> {
        if values.is_empty() {
            return Err(GeometryError::NumDims { dims: 0 });
        }
        Self::or_none(values)
    }

    /// Copies zero to [`MAX_DIMS`] values.
    pub(crate) fn or_none(values: &[T]) -> Result<Self, GeometryError> {
        let mut copy = [T::default(); MAX_DIMS];
        copy.get_mut(..values.len())
            .ok_or(GeometryError::NumDims { dims: values.len() })?
            .copy_from_slice(values);
        Ok(Self { values: copy, dims: values.len() })
    }

    /// Copies an array whose length the caller restricts to [`MAX_DIMS`].
    pub(crate) fn from_array<const N: usize>(array: [T; N]) -> Self {
        const { assert!(N <= MAX_DIMS, "too many axes") };
        Self::or_none(&array).expect("the length was checked at compile time")
    }

    pub(crate) fn dims(&self) -> usize {
        self.dims
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        &self.values[..self.dims]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.values[..self.dims]
    }

    pub(crate) fn map<U: Copy + Default>(&self, mut f: impl FnMut(T) -> U) -> PerAxis<U> {
        let mut values = [U::default(); MAX_DIMS];
        for (to, from) in values.iter_mut().zip(self.as_slice()) {
            *to = f(*from);
        }
        PerAxis { values, dims: self.dims }
    }

    pub(crate) fn try_map<U: Copy + Default>(
        &self,
        mut f: impl FnMut(T) -> Result<U, GeometryError>,
    ) -> Result<PerAxis<U>, GeometryError> {
        let mut values = [U::default(); MAX_DIMS];
        for (to, from) in values.iter_mut().zip(self.as_slice()) {
            *to = f(*from)?;
        }
        Ok(PerAxis { values, dims: self.dims })
    }

    /// Combines the entries of two values with the same number of axes.
    pub(crate) fn try_zip<U: Copy + Default, V: Copy + Default>(
        &self,
        other: &PerAxis<U>,
        mut f: impl FnMut(T, U) -> Result<V, GeometryError>,
    ) -> Result<PerAxis<V>, GeometryError> {
        self.check_dims(other.dims)?;
        let mut values = [V::default(); MAX_DIMS];
        for (to, (left, right)) in
            values.iter_mut().zip(self.as_slice().iter().zip(other.as_slice()))
        {
            *to = f(*left, *right)?;
        }
        Ok(PerAxis { values, dims: self.dims })
    }

    pub(crate) fn check_dims(&self, other: usize) -> Result<(), GeometryError> {
        if self.dims == other {
            Ok(())
        } else {
            Err(GeometryError::DimsMismatch { left: self.dims, right: other })
        }
    }

    /// Returns all entries but the one of `axis`.
    pub(crate) fn squeeze(&self, axis: usize) -> Result<Self, GeometryError> {
        if axis >= self.dims {
            return Err(GeometryError::NoSuchAxis { axis, dims: self.dims });
        }
        let mut kept = Vec::from(self.as_slice());
        kept.remove(axis);
        Self::new(&kept)
    }
}

impl<T> PerAxis<Option<T>>
where
    T: Copy + Default,
{
    /// Returns the numbers, if no axis is without one.
    pub(crate) fn bounded(&self) -> Result<PerAxis<T>, GeometryError> {
        if let Some(axis) = self.as_slice().iter().position(Option::is_none) {
            return Err(GeometryError::Unbounded { axis });
        }
        Ok(self.map(Option::unwrap_or_default))
    }
}
