//! From a float back to the decimal that a person wrote.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "at most 17 digits, times at most 10^17, fit into 128 bits"
)]

use super::{Decimal, power_of_ten};

/// Digits that a decimal may have after noise was rounded away from it.
const MAX_ROUNDED_DIGITS: u32 = 12;
/// Digits of a decimal that any 64-bit float keeps.
const MAX_EXACT_DIGITS: u32 = 15;
/// Fewer digits than these are too few to be told from digits that somebody typed.
const MIN_NOISE_DIGITS: u32 = 4;
/// The most digits in the shortest text of a 64-bit float.
const MAX_FLOAT_DIGITS: u32 = 17;
/// The largest relative change: one part in this many.
const RELATIVE: i128 = 1_000_000_000;
/// The first digits of noise: the error is at most the last kept digit's unit divided by this.
const NOISE_ONSET: i128 = 1_000;

/// Applies the rule documented at [`Decimal::from_f64`].
pub(super) fn from_float(value: f64) -> Option<Decimal> {
    if value == 0.0 {
        return Some(Decimal::ZERO);
    }
    let (digits, scale) = shortest(value.abs())?;
    let (digits, scale) = match u32::try_from(scale) {
        Ok(scale) if scale > 0 => without_noise(digits, scale)?,
        _ => (digits, scale),
    };
    Decimal::normal(if value < 0.0 { -digits } else { digits }, scale)
}

/// Returns the digits of the shortest text that reads back as `value`, and how many are fractional.
fn shortest(value: f64) -> Option<(i128, i32)> {
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}").parse().ok()?;
    let num_fractional = i32::try_from(fraction.len()).ok()?;
    Some((digits, num_fractional - exponent.parse::<i32>().ok()?))
}

/// Returns the digits with the fewest fractional ones that differ from `digits` by noise only.
fn without_noise(digits: i128, scale: u32) -> Option<(i128, i32)> {
    // Rounding away more digits than there are leaves nothing, so start with the last of them.
    for kept in scale.saturating_sub(MAX_FLOAT_DIGITS)..scale {
        let dropped = scale - kept;
        if dropped < MIN_NOISE_DIGITS {
            break;
        }
        let unit = power_of_ten(dropped)?;
        let rounded = (digits + unit / 2) / unit;
        let error = (digits - rounded * unit).abs();
        if error * RELATIVE <= digits
            && error * NOISE_ONSET <= unit
            && num_digits(rounded) <= MAX_ROUNDED_DIGITS
        {
            return Some((rounded, i32::try_from(kept).ok()?));
        }
    }
    (num_digits(digits) <= MAX_EXACT_DIGITS).then_some((digits, i32::try_from(scale).ok()?))
}

fn num_digits(value: i128) -> u32 {
    value.checked_ilog10().map_or(1, |log| log + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recovered(value: f64) -> Option<String> {
        from_float(value).map(|decimal| decimal.to_string())
    }

    #[test]
    fn typed_decimals_stay_and_noise_goes() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (2.62, "2.62"),
            (-1.31, "-1.31"),
            (400.0, "400"),
            (13282.289999999999, "13282.29"),
            (20265.390000000003, "20265.39"),
            (5.2399999997, "5.24"),
            (0.1 + 0.2, "0.3"),
            (-(0.1 + 0.2), "-0.3"),
            (1e-3, "0.001"),
            (1e15, "1000000000000000"),
            (9_007_199_254_740_993.0, "9007199254740992"),
            (1e22, "10000000000000000000000"),
            (123456789.25, "123456789.25"),
            (1_000_000_000.25, "1000000000.25"),
            (1_000_000.001, "1000000.001"),
            (1_234_567_890.123_4, "1234567890.1234"),
            (12_345_678.901_000_002, "12345678.901"),
            (399.999_999_999_999_94, "400"),
            (3.0 * 1.1, "3.3"),
            // Four digits may be noise, three may not.
            (123_456.500_01, "123456.5"),
            (1_234_567.001, "1234567.001"),
            (0.000_000_000_1, "0.0000000001"),
            (1e-18, "0.000000000000000001"),
        ] {
            assert_eq!(recovered(value).as_deref(), Some(text), "{value:?}");
        }
    }

    #[test]
    fn fractions_and_what_is_no_number_are_refused() {
        let refused = [
            1.0 / 3.0,
            2.0 / 3.0,
            4.0 / 3.0,
            -1.0 / 7.0,
            1000.0 / 3.0,
            2.0_f64.sqrt(),
            std::f64::consts::PI * 1e6,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN_POSITIVE,
            f64::from(5.24_f32),
            // Rounded, it would still have 13 digits.
            1.234_567_890_123_000_1,
        ];
        for value in refused {
            assert_eq!(recovered(value), None, "{value:?}");
        }
    }
}
