//! Integer arithmetic on 64-bit numbers that is exact or an error.
//!
//! Every function widens to 128 bits, where none of these sums, products and quotients of two
//! 64-bit numbers can overflow, and narrows the result.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "128 bits hold every intermediate value of 64-bit operands"
)]

use crate::GeometryError;

type Result<T> = std::result::Result<T, GeometryError>;

/// Returns `value` as 64-bit number; `expression` says what was computed.
pub(crate) fn narrow(value: i128, expression: impl FnOnce() -> String) -> Result<i64> {
    i64::try_from(value).map_err(|_| GeometryError::Overflow { expression: expression() })
}

pub(crate) fn add(left: i64, right: i64) -> Result<i64> {
    narrow(i128::from(left) + i128::from(right), || format!("{left} + {right}"))
}

pub(crate) fn subtract(left: i64, right: i64) -> Result<i64> {
    narrow(i128::from(left) - i128::from(right), || format!("{left} - {right}"))
}

pub(crate) fn multiply(left: i64, right: i64) -> Result<i64> {
    narrow(i128::from(left) * i128::from(right), || format!("{left} * {right}"))
}

/// Rounds toward zero.
pub(crate) fn divide(left: i64, right: i64) -> Result<i64> {
    let (dividend, divisor) = operands(left, right)?;
    narrow(dividend / divisor, || format!("{left} / {right}"))
}

/// Rounds down.
pub(crate) fn floor_divide(left: i64, right: i64) -> Result<i64> {
    let (dividend, divisor) = operands(left, right)?;
    narrow(floor(dividend, divisor), || format!("{left} / {right}"))
}

/// Rounds up.
pub(crate) fn ceil_divide(left: i64, right: i64) -> Result<i64> {
    let (dividend, divisor) = operands(left, right)?;
    narrow(ceil(dividend, divisor), || format!("{left} / {right}"))
}

/// Rounds to the nearest integer, and down if two are equally near.
pub(crate) fn round_divide(left: i64, right: i64) -> Result<i64> {
    let (dividend, divisor) = operands(left, right)?;
    // The nearest integer, ties down, is the ceiling of quotient - 1/2.
    narrow(ceil(2 * dividend - divisor, 2 * divisor), || format!("{left} / {right}"))
}

/// Returns what [`floor_divide`] leaves; it has the sign of `right`.
pub(crate) fn remainder(left: i64, right: i64) -> Result<i64> {
    let (dividend, divisor) = operands(left, right)?;
    narrow(dividend - floor(dividend, divisor) * divisor, || format!("{left} % {right}"))
}

/// Rounds a negative power toward zero, as a fraction below one.
pub(crate) fn power(base: i64, exponent: i64) -> Result<i64> {
    let overflow =
        || GeometryError::Overflow { expression: format!("{base} to the power of {exponent}") };
    match (base, exponent) {
        (_, 0) | (1, _) => Ok(1),
        (0, ..0) => Err(GeometryError::DivisionByZero { dividend: 1 }),
        (0, _) => Ok(0),
        (-1, _) => Ok(if exponent % 2 == 0 { 1 } else { -1 }),
        (_, ..0) => Ok(0),
        // Any other base is at least 2 in size, so an exponent beyond 64 overflows.
        _ => u32::try_from(exponent)
            .ok()
            .and_then(|exponent| base.checked_pow(exponent))
            .ok_or_else(overflow),
    }
}

pub(crate) fn negate(value: i64) -> Result<i64> {
    narrow(-i128::from(value), || format!("-({value})"))
}

pub(crate) fn absolute(value: i64) -> Result<i64> {
    narrow(i128::from(value).abs(), || format!("|{value}|"))
}

/// Rounds a wide quotient down. The divisor is not zero.
pub(crate) fn floor(dividend: i128, divisor: i128) -> i128 {
    let quotient = dividend / divisor;
    let rounded_up = dividend % divisor != 0 && (dividend < 0) != (divisor < 0);
    if rounded_up { quotient - 1 } else { quotient }
}

/// Rounds a wide quotient up. The divisor is not zero.
pub(crate) fn ceil(dividend: i128, divisor: i128) -> i128 {
    -floor(-dividend, divisor)
}

fn operands(left: i64, right: i64) -> Result<(i128, i128)> {
    if right == 0 {
        return Err(GeometryError::DivisionByZero { dividend: left });
    }
    Ok((i128::from(left), i128::from(right)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_round_as_their_names_say_for_every_sign() {
        for left in -30_i64..=30 {
            for right in (-7_i64..=7).filter(|right| *right != 0) {
                #[expect(clippy::cast_precision_loss, reason = "small test values")]
                let quotient = left as f64 / right as f64;
                let expected = |value: f64| narrow_float(value);
                assert_eq!(divide(left, right), Ok(expected(quotient.trunc())));
                assert_eq!(floor_divide(left, right), Ok(expected(quotient.floor())));
                assert_eq!(ceil_divide(left, right), Ok(expected(quotient.ceil())));
                assert_eq!(
                    round_divide(left, right),
                    Ok(expected((quotient - 0.5).ceil())),
                    "{left} / {right}"
                );
                assert_eq!(remainder(left, right), Ok(left - right * expected(quotient.floor())));
            }
        }
    }

    #[test]
    fn powers_below_one_round_toward_zero() {
        assert_eq!(power(9, -3), Ok(0));
        assert_eq!(power(-1, -3), Ok(-1));
        assert_eq!(power(-1, i64::MIN), Ok(1));
        assert_eq!(power(0, 0), Ok(1));
        assert_eq!(power(-2, 63), Ok(i64::MIN));
        assert!(power(2, 63).is_err_and(|error| error.is_overflow()));
        assert!(power(0, -1).is_err_and(|error| error.is_division_by_zero()));
    }

    #[test]
    fn the_smallest_number_divided_by_minus_one_is_an_error() {
        for operation in [divide, floor_divide, ceil_divide, round_divide] {
            assert!(operation(i64::MIN, -1).is_err_and(|error| error.is_overflow()));
        }
        assert_eq!(remainder(i64::MIN, -1), Ok(0));
    }

    #[expect(clippy::cast_possible_truncation, reason = "small test values")]
    fn narrow_float(value: f64) -> i64 {
        value as i64
    }
}
