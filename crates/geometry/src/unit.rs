//! Units of length.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::GeometryError;

macro_rules! length_units {
    ($($(#[$doc:meta])* $unit:ident $name:literal $symbol:literal $power:literal)+) => {
        /// A unit of length: the decimal ones that OME-NGFF names, or none that is known.
        ///
        /// ```
        /// use geometry::LengthUnit;
        ///
        /// assert_eq!(LengthUnit::parse("nm"), Some(LengthUnit::Nanometer));
        /// assert_eq!(LengthUnit::parse("micron"), Some(LengthUnit::Micrometer));
        /// assert_eq!(LengthUnit::Micrometer.name(), "micrometer");
        /// assert_eq!(LengthUnit::parse("second"), None);
        /// ```
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum LengthUnit {
            $($(#[$doc])* $unit,)+
            /// No unit was declared, or none that is understood.
            #[default]
            Unknown,
        }

        impl LengthUnit {
            /// Every known unit, from the smallest to the largest.
            pub const ALL: &[Self] = &[$(Self::$unit),+];

            /// Returns the name that OME-NGFF uses, such as `nanometer`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$unit => $name,)+
                    Self::Unknown => "unknown",
                }
            }

            /// Returns the symbol, such as `nm`.
            #[must_use]
            pub fn symbol(self) -> &'static str {
                match self {
                    $(Self::$unit => $symbol,)+
                    Self::Unknown => "?",
                }
            }

            /// Returns the power of ten that makes this unit out of a meter: -9 for the nanometer.
            #[must_use]
            pub fn power_of_ten_to_meter(self) -> Option<i32> {
                match self {
                    $(Self::$unit => Some($power),)+
                    Self::Unknown => None,
                }
            }
        }
    };
}

length_units! {
    /// 10^-24 m.
    Yoctometer "yoctometer" "ym" -24
    /// 10^-21 m.
    Zeptometer "zeptometer" "zm" -21
    /// 10^-18 m.
    Attometer "attometer" "am" -18
    /// 10^-15 m.
    Femtometer "femtometer" "fm" -15
    /// 10^-12 m.
    Picometer "picometer" "pm" -12
    /// 10^-10 m.
    Angstrom "angstrom" "Å" -10
    /// 10^-9 m.
    Nanometer "nanometer" "nm" -9
    /// 10^-6 m.
    Micrometer "micrometer" "µm" -6
    /// 10^-3 m.
    Millimeter "millimeter" "mm" -3
    /// 10^-2 m.
    Centimeter "centimeter" "cm" -2
    /// 10^-1 m.
    Decimeter "decimeter" "dm" -1
    /// The meter.
    Meter "meter" "m" 0
    /// 10^2 m.
    Hectometer "hectometer" "hm" 2
    /// 10^3 m.
    Kilometer "kilometer" "km" 3
    /// 10^6 m.
    Megameter "megameter" "Mm" 6
    /// 10^9 m.
    Gigameter "gigameter" "Gm" 9
    /// 10^12 m.
    Terameter "terameter" "Tm" 12
    /// 10^15 m.
    Petameter "petameter" "Pm" 15
    /// 10^18 m.
    Exameter "exameter" "Em" 18
    /// 10^21 m.
    Zettameter "zettameter" "Zm" 21
    /// 10^24 m.
    Yottameter "yottameter" "Ym" 24
}

impl LengthUnit {
    /// Reads a symbol (`nm`) or a name (`nanometer`, `nanometers`, `Nanometre`).
    ///
    /// Case matters in symbols, where `mm` and `Mm` differ, but not in names. The micrometer is
    /// also `um`, `micron`, and `µm` with either of the two letters; the angstrom also `A`.
    ///
    /// ```
    /// use geometry::LengthUnit;
    ///
    /// for text in ["um", "\u{b5}m", "\u{3bc}m", "micron", "Micrometers", "micrometre"] {
    ///     assert_eq!(LengthUnit::parse(text), Some(LengthUnit::Micrometer));
    /// }
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text {
            "um" | "\u{b5}m" | "\u{3bc}m" => return Some(Self::Micrometer),
            // The letter with a ring, the same in two characters, and the angstrom sign.
            "A" | "\u{c5}" | "A\u{30a}" | "\u{212b}" => return Some(Self::Angstrom),
            _ => {}
        }
        if let Some(unit) = Self::ALL.iter().find(|unit| unit.symbol() == text) {
            return Some(*unit);
        }
        let lower = text.to_lowercase();
        let name = lower.strip_suffix('s').unwrap_or(&lower);
        let name = name
            .strip_suffix("metre")
            .map_or_else(|| name.to_owned(), |prefix| format!("{prefix}meter"));
        match name.as_str() {
            "micron" => Some(Self::Micrometer),
            "ångström" | "ångstrom" | "angström" => Some(Self::Angstrom),
            name => Self::ALL.iter().find(|unit| unit.name() == name).copied(),
        }
    }
}

impl fmt::Display for LengthUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.symbol())
    }
}

/// Reads what [`LengthUnit::parse`] reads, and `unknown`.
impl FromStr for LengthUnit {
    type Err = GeometryError;

    fn from_str(text: &str) -> Result<Self, GeometryError> {
        if text == Self::Unknown.name() {
            return Ok(Self::Unknown);
        }
        Self::parse(text).ok_or_else(|| GeometryError::Parse {
            text: text.to_owned(),
            expected: "a unit of length such as nanometer",
        })
    }
}

/// Writes the name.
impl Serialize for LengthUnit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for LengthUnit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_reads_back_from_its_symbol_and_names() {
        for unit in LengthUnit::ALL {
            let name = unit.name();
            for text in [
                unit.symbol(),
                name,
                &format!("{name}s"),
                &name.to_uppercase(),
                &format!(" {name} "),
            ] {
                assert_eq!(LengthUnit::parse(text), Some(*unit), "{text}");
            }
        }
    }

    #[test]
    fn units_are_read_in_every_spelling_that_is_in_use() {
        for (unit, spellings) in [
            (
                LengthUnit::Micrometer,
                ["um", "\u{b5}m", "\u{3bc}m", "micron", "Microns", "micrometre"],
            ),
            (
                LengthUnit::Angstrom,
                ["A", "\u{c5}", "A\u{30a}", "\u{212b}", "Ångström", "angstroms"],
            ),
            (
                LengthUnit::Nanometer,
                ["nm", " nm ", "nanometer", "Nanometers", "nanometre", "NANOMETRES"],
            ),
        ] {
            for text in spellings {
                assert_eq!(LengthUnit::parse(text), Some(unit), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_unit_is_none() {
        for text in ["", "s", "n m", "nanometerss", "pixel", "inch", "NM", "metres per second"] {
            assert_eq!(LengthUnit::parse(text), None, "{text}");
        }
    }
}
