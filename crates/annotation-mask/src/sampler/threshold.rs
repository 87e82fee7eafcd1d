//! How many known values are enough, without rounding.

/// The least number of known ones among `values` whose share is at least `min_known`: exactly, with
/// `min_known` as the decimal that it prints as. None if that is not within 0 and 1.
///
/// The float 0.15 is a little less than 15/100 and 0.07 a little more than 7/100; whoever types them means
/// 15 and 7 of 100. So the shortest decimal that reads back as the float counts, which is what was typed.
pub(super) fn threshold(min_known: f64, values: u64) -> Option<u64> {
    if !(0.0..=1.0).contains(&min_known) {
        return None;
    }
    if min_known == 0.0 {
        return Some(0);
    }
    let text = format!("{min_known:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // At most 17 digits, so that their product with 64 bits fits into 128.
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    let scale = u32::try_from(i32::try_from(fraction.len()).ok()? - exponent).ok()?;
    // A share with so many digits is below that of a single value.
    let Some(one) = 10_u128.checked_pow(scale) else { return Some(1) };
    u64::try_from((digits * u128::from(values)).div_ceil(one)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_that_were_typed() {
        for (min_known, values, least) in [
            (0.0, 100, 0),
            (-0.0, 100, 0),
            (0.15, 100, 15),
            (0.07, 100, 7),
            (0.29, 100, 29),
            (0.151, 100, 16),
            (0.1 + 0.2, 10, 4),
            (1.0 / 3.0, 3, 1),
            (2.0 / 3.0, 3, 2),
            (1.0, 7, 7),
            (1.0, u64::MAX, u64::MAX),
            (0.5, u64::MAX, u64::MAX / 2 + 1),
            (f64::MIN_POSITIVE, u64::MAX, 1),
            (5e-324, 1, 1),
            (1e-19, u64::MAX, 2),
            (0.999_999_999_999_999_9, 1 << 60, (1 << 60) - 115),
        ] {
            assert_eq!(threshold(min_known, values), Some(least), "{min_known} of {values}");
        }
        for wrong in [f64::NAN, -0.1, 1.000_000_000_000_000_2, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(threshold(wrong, 100), None, "{wrong}");
        }
    }

    #[test]
    fn each_percentage_of_a_hundred_is_itself() {
        for percent in 0..=100_u32 {
            let min_known: f64 = format!("0.{percent:02}").parse().unwrap();
            let min_known = if percent == 100 { 1.0 } else { min_known };
            assert_eq!(threshold(min_known, 100), Some(percent.into()));
        }
    }
}
