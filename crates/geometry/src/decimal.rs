//! Exact decimal numbers.

mod recover;
mod text;

use std::cmp::Ordering;

use crate::GeometryError;

/// The largest number of fractional digits: 10 to this power still fits into an `i64`.
pub(crate) const MAX_SCALE: u8 = 18;

/// An exact decimal number, such as a voxel size of 2.62 nm. It has at most 18 fractional digits.
///
/// ```
/// use geometry::Decimal;
///
/// let voxel_size: Decimal = "2.62".parse()?;
/// assert_eq!(voxel_size.half()?.to_string(), "1.31");
///
/// // Floats give back what a person typed, whatever arithmetic they went through.
/// assert_eq!(Decimal::from_f64(13282.289999999999)?.to_string(), "13282.29");
/// assert!(Decimal::from_f64(4.0 / 3.0).is_err());
/// # Ok::<_, geometry::GeometryError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i128,
    // Invariant: at most MAX_SCALE, and 0 unless the mantissa has a last digit other than 0.
    scale: u8,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };

    /// Returns the decimal that a person would have written for `value`.
    ///
    /// The shortest text that reads back as `value` is the start. If it goes on, after some
    /// fractional digit, with at least four more digits of which the first three are 0 (or 9), these
    /// are taken for noise of float arithmetic and rounded away, provided that this changes the value
    /// by no more than a relative 1e-9 and leaves at most 12 digits. Otherwise the text stands as it
    /// is: if it is an integer, or has at most 15 digits, which is what a float keeps of a decimal.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NotDecimal`] for what is left, such as 4/3, and for infinities and NaN.
    ///
    /// ```
    /// use geometry::Decimal;
    ///
    /// assert_eq!(Decimal::from_f64(0.1 + 0.2)?.to_string(), "0.3");
    /// assert_eq!(Decimal::from_f64(5.2399999997)?.to_string(), "5.24");
    /// assert_eq!(Decimal::from_f64(123456789.25)?.to_string(), "123456789.25");
    /// assert!(Decimal::from_f64(1.0 / 3.0).is_err());
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn from_f64(value: f64) -> Result<Self, GeometryError> {
        recover::from_float(value).ok_or(GeometryError::NotDecimal { value })
    }

    /// Returns the nearest float.
    #[expect(clippy::missing_panics_doc, reason = "every decimal prints as a number")]
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().expect("the text of a decimal is the text of a float")
    }

    /// Returns the number of fractional digits.
    ///
    /// ```
    /// use geometry::Decimal;
    ///
    /// assert_eq!("2.620".parse::<Decimal>()?.fractional_digits(), 2);
    /// assert_eq!("400".parse::<Decimal>()?.fractional_digits(), 0);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    #[must_use]
    pub fn fractional_digits(self) -> u8 {
        self.scale
    }

    /// Returns true if the number is greater than zero.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.mantissa > 0
    }

    /// Adds two numbers.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Overflow`] beyond some 10 to the power of 19.
    pub fn checked_add(self, other: Self) -> Result<Self, GeometryError> {
        self.aligned_with(other, i128::checked_add)
            .ok_or_else(|| overflow(format!("{self} + {other}")))
    }

    /// Subtracts `other`.
    ///
    /// # Errors
    ///
    /// As [`checked_add`](Self::checked_add).
    pub fn checked_sub(self, other: Self) -> Result<Self, GeometryError> {
        self.aligned_with(other, i128::checked_sub)
            .ok_or_else(|| overflow(format!("{self} - {other}")))
    }

    /// Multiplies by an integer.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Overflow`] beyond some 10 to the power of 19.
    pub fn checked_mul(self, factor: i64) -> Result<Self, GeometryError> {
        let product = self.mantissa.checked_mul(factor.into());
        product
            .and_then(|mantissa| Self::normal(mantissa, self.scale.into()))
            .ok_or_else(|| overflow(format!("{self} * {factor}")))
    }

    /// Returns the number with the other sign.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Overflow`] for the smallest number.
    pub fn checked_neg(self) -> Result<Self, GeometryError> {
        self.checked_mul(-1)
    }

    /// Returns half of the number: the distance from the corner of a voxel to its centre.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Overflow`] if that needs a 19th fractional digit.
    pub fn half(self) -> Result<Self, GeometryError> {
        let tenfold_half = self.mantissa.checked_mul(5);
        tenfold_half
            .and_then(|mantissa| Self::normal(mantissa, i32::from(self.scale).checked_add(1)?))
            .ok_or_else(|| overflow(format!("{self} / 2")))
    }

    /// Multiplies by 10 to the power of `power`: exactly, whatever its sign.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Overflow`] if the result has too many digits.
    pub fn times_power_of_ten(self, power: i32) -> Result<Self, GeometryError> {
        i32::from(self.scale)
            .checked_sub(power)
            .and_then(|scale| Self::normal(self.mantissa, scale))
            .ok_or_else(|| overflow(format!("{self} times 10 to the power of {power}")))
    }

    /// Returns the number of steps of 10 to the power of -`exponent`, if it is whole.
    pub(crate) fn steps(self, exponent: u8) -> Option<i128> {
        let missing_zeros = exponent.checked_sub(self.scale)?;
        self.mantissa.checked_mul(power_of_ten(missing_zeros.into())?)
    }

    /// Returns `mantissa` times 10 to the power of -`scale` in its one normal form.
    pub(crate) fn normal(mut mantissa: i128, mut scale: i32) -> Option<Self> {
        if mantissa == 0 {
            return Some(Self::ZERO);
        }
        if scale < 0 {
            let zeros = scale.checked_neg().and_then(|zeros| u32::try_from(zeros).ok())?;
            return Some(Self { mantissa: mantissa.checked_mul(power_of_ten(zeros)?)?, scale: 0 });
        }
        while scale > 0 && mantissa.checked_rem(10) == Some(0) {
            mantissa = mantissa.checked_div(10)?;
            scale = scale.checked_sub(1)?;
        }
        let scale = u8::try_from(scale).ok().filter(|scale| *scale <= MAX_SCALE)?;
        Some(Self { mantissa, scale })
    }

    fn aligned_with(self, other: Self, f: impl Fn(i128, i128) -> Option<i128>) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        Self::normal(f(self.steps(scale)?, other.steps(scale)?)?, scale.into())
    }

    /// Returns the integer below and the rest, in steps of 10 to the power of -[`MAX_SCALE`].
    fn whole_and_rest(self) -> (i128, i128) {
        let one = power_of_ten(self.scale.into()).expect("the scale is limited");
        let rest = self.mantissa.rem_euclid(one);
        let zeros = MAX_SCALE.checked_sub(self.scale).and_then(|zeros| power_of_ten(zeros.into()));
        let rest =
            zeros.and_then(|zeros| rest.checked_mul(zeros)).expect("both factors are below 10^18");
        (self.mantissa.div_euclid(one), rest)
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self { mantissa: value.into(), scale: 0 }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.whole_and_rest().cmp(&other.whole_and_rest())
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn overflow(expression: String) -> GeometryError {
    GeometryError::Overflow { expression }
}

pub(crate) fn power_of_ten(power: u32) -> Option<i128> {
    10_i128.checked_pow(power)
}
