//! Decimals as text and as data.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

use super::{Decimal, overflow, power_of_ten};
use crate::GeometryError;

/// Prints the shortest exact form, such as `-1.31` or `400`; never an exponent.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = power_of_ten(self.scale.into()).map_or(1, i128::unsigned_abs);
        let magnitude = self.mantissa.unsigned_abs();
        let whole = magnitude.checked_div(one).unwrap_or(magnitude);
        let text = match magnitude.checked_rem(one) {
            None | Some(0) => whole.to_string(),
            Some(fraction) => {
                format!("{whole}.{fraction:0width$}", width = usize::from(self.scale))
            }
        };
        f.pad_integral(self.mantissa >= 0, "", &text)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({self})")
    }
}

/// Reads `13282.29`, `-4`, `.5` or `1e3` exactly.
impl FromStr for Decimal {
    type Err = GeometryError;

    fn from_str(text: &str) -> Result<Self, GeometryError> {
        let malformed = || GeometryError::Parse {
            text: text.to_owned(),
            expected: "a decimal number such as 13282.29",
        };
        let too_long = || overflow(format!("the decimal number {text}"));
        let (negative, unsigned) = match text.trim().split_at_checked(1) {
            Some(("-", rest)) => (true, rest),
            Some(("+", rest)) => (false, rest),
            _ => (false, text.trim()),
        };
        let (number, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = [whole, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        let exponent: i32 = exponent.parse().map_err(|_| malformed())?;

        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self::ZERO);
        }
        let trailing_zeros = digits.len().checked_sub(digits.trim_end_matches('0').len());
        let mantissa: i128 = significant.parse().map_err(|_| too_long())?;
        trailing_zeros
            .and_then(|zeros| i32::try_from(zeros).ok())
            .and_then(|zeros| {
                i32::try_from(fraction.len()).ok()?.checked_sub(zeros)?.checked_sub(exponent)
            })
            .and_then(|scale| {
                Self::normal(if negative { mantissa.checked_neg()? } else { mantissa }, scale)
            })
            .ok_or_else(too_long)
    }
}

/// Writes a number that prints as this decimal; text, if none does that also reads back as it.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.scale == 0
            && let Ok(integer) = i64::try_from(self.mantissa)
        {
            return serializer.serialize_i64(integer);
        }
        let float = self.to_f64();
        if format!("{float}") == self.to_string() && Self::from_f64(float).as_ref() == Ok(self) {
            serializer.serialize_f64(float)
        } else {
            serializer.collect_str(self)
        }
    }
}

/// Reads a number as [`Decimal::from_f64`] does, or text exactly.
impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DecimalVisitor)
    }
}

struct DecimalVisitor;

impl Visitor<'_> for DecimalVisitor {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number")
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Decimal, E> {
        Ok(Decimal::from(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Decimal, E> {
        Decimal::normal(value.into(), 0).ok_or_else(|| E::custom("the number has too many digits"))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Decimal, E> {
        Decimal::from_f64(value).map_err(E::custom)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Decimal, E> {
        value.parse().map_err(E::custom)
    }
}
