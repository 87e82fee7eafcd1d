//! The colours of labels, masks and targets.

use crate::preview::canvas::Colour;

pub(crate) const BACKGROUND: Colour = [250, 250, 252];
pub(crate) const INK: Colour = [28, 30, 38];
pub(crate) const FAINT: Colour = [110, 114, 126];
pub(crate) const UNLABELLED: Colour = [24, 24, 28];
/// Known and not of the channel.
pub(crate) const KNOWN: Colour = [132, 168, 204];
/// Of the channel.
pub(crate) const POSITIVE: Colour = [255, 196, 61];
pub(crate) const UNKNOWN: Colour = [58, 60, 70];
pub(crate) const KEPT: Colour = [22, 128, 78];
pub(crate) const MASKED: Colour = [190, 54, 44];

/// A colour for a label: hues a golden angle apart, in three shades, so that neighbours differ.
pub(crate) fn of_label(label: i128) -> Colour {
    if label == 0 {
        return UNLABELLED;
    }
    let index = u32::try_from(label.rem_euclid(3600)).unwrap_or(0);
    let hue = f64::from(index) * 137.508 % 360.0;
    let (saturation, value) = [(0.62, 0.95), (0.75, 0.78), (0.42, 0.98)][index as usize % 3];
    from_hsv(hue, saturation, value)
}

fn from_hsv(hue: f64, saturation: f64, value: f64) -> Colour {
    let part = |shift: f64| {
        let k = (shift + hue / 60.0) % 6.0;
        let level = value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a level between 0 and 1 times 255 is a byte"
        )]
        let byte = (level * 255.0).round() as u8;
        byte
    };
    [part(5.0), part(3.0), part(1.0)]
}
