//! Regions as text and as data.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Roi;
use crate::{GeometryError, PartialCoordinate};

/// Prints `[12:33, :] (21, inf)`: the bounds, then the shape.
impl fmt::Display for Roi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounds = self.axes.map(|axis| axis.map(|interval| (interval.begin(), interval.end())));
        write_bounds(f, bounds.as_slice())?;
        f.write_str(" (")?;
        for (axis, length) in self.partial_shape().iter().enumerate() {
            if axis > 0 {
                f.write_str(", ")?;
            }
            match length {
                Some(length) => write!(f, "{length}")?,
                None => f.write_str("inf")?,
            }
        }
        f.write_str(")")
    }
}

/// Prints `Roi((12, None), (21, None))`: offset and shape.
impl fmt::Debug for Roi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tuple = |part: PartialCoordinate| {
            let text = part.to_string();
            if part.dims() == 1 { text.replace(')', ",)") } else { text }
        };
        write!(f, "Roi({}, {})", tuple(self.partial_begin()), tuple(self.partial_shape()))
    }
}

/// Reads what `Display` prints; the shape and the brackets may be missing: `12:33, :`.
impl FromStr for Roi {
    type Err = GeometryError;

    fn from_str(text: &str) -> Result<Self, GeometryError> {
        let malformed = || GeometryError::Parse {
            text: text.to_owned(),
            expected: "a region such as [0:8, 16:32], begin:end for each axis",
        };
        let region = RegionText::split(text).ok_or_else(malformed)?;
        let number = |text: &str| text.parse::<i64>().map_err(|_| malformed());
        let mut begin = Vec::new();
        let mut end = Vec::new();
        for bounds in &region.axes {
            begin.push(bounds.map(|(begin, _)| number(begin)).transpose()?);
            end.push(bounds.map(|(_, end)| number(end)).transpose()?);
        }
        let begin = PartialCoordinate::new(&begin)?;
        let roi = Self::from_parts(begin, PartialCoordinate::new(&end)?.checked_sub(begin)?)?;
        if !region.rest.is_empty() {
            let shape: PartialCoordinate =
                region.rest.replace("inf", "None").parse().map_err(|_| malformed())?;
            if shape != roi.partial_shape() {
                return Err(malformed());
            }
        }
        Ok(roi)
    }
}

/// The parts of a region's text, not yet read as numbers.
pub(crate) struct RegionText<'a> {
    /// Begin and end of each axis; none where the region is unbounded.
    pub(crate) axes: Vec<Option<(&'a str, &'a str)>>,
    /// What follows the bounds in brackets.
    pub(crate) rest: &'a str,
}

impl<'a> RegionText<'a> {
    /// Splits `[0:8, :] rest` or `0:8, :`.
    pub(crate) fn split(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let (bounds, rest) = match text.strip_prefix('[') {
            Some(opened) => opened.split_once(']')?,
            None => (text, ""),
        };
        let axes = bounds.split(',').map(|axis| {
            let (begin, end) = axis.split_once(':')?;
            match (begin.trim(), end.trim()) {
                ("", "") => Some(None),
                (begin, end) => Some(Some((begin, end))),
            }
        });
        Some(Self { axes: axes.collect::<Option<_>>()?, rest: rest.trim() })
    }
}

/// Writes `[begin:end, :]`.
pub(crate) fn write_bounds<T: fmt::Display>(
    f: &mut impl fmt::Write,
    axes: &[Option<(T, T)>],
) -> fmt::Result {
    f.write_str("[")?;
    for (axis, bounds) in axes.iter().enumerate() {
        if axis > 0 {
            f.write_str(", ")?;
        }
        match bounds {
            Some((begin, end)) => write!(f, "{begin}:{end}")?,
            None => f.write_str(":")?,
        }
    }
    f.write_str("]")
}

#[derive(Serialize, Deserialize)]
struct RoiParts {
    offset: PartialCoordinate,
    shape: PartialCoordinate,
}

/// Writes `{"offset": [12, null], "shape": [21, null]}`.
impl Serialize for Roi {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RoiParts { offset: self.partial_begin(), shape: self.partial_shape() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Roi {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts = RoiParts::deserialize(deserializer)?;
        Self::from_parts(parts.offset, parts.shape).map_err(serde::de::Error::custom)
    }
}
