//! The colours of channels.

/// The hue of the first channel, in degrees: the yellow in which `voxmask preview` draws targets.
const FIRST_HUE: f64 = 41.75;

/// A colour for a channel, such as `#ffc43d`: hues a golden angle apart, so that neighbours differ.
pub(super) fn of_channel(channel: usize) -> String {
    // 3600 golden angles are a multiple of a turn, to the last digit.
    let index = u32::try_from(channel % 3600).unwrap_or(0);
    let hue = FIRST_HUE + f64::from(index) * 137.508;
    let part = |shift: f64| {
        let k = (shift + hue / 60.0) % 6.0;
        let level = 1.0 - 0.76 * k.min(4.0 - k).clamp(0.0, 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a level between 0 and 1 times 255 is a byte"
        )]
        let byte = (level * 255.0).round() as u8;
        byte
    };
    format!("#{:02x}{:02x}{:02x}", part(5.0), part(3.0), part(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_channels_have_colours_of_their_own() {
        let mut colours: Vec<String> = (0..48).map(of_channel).collect();
        assert_eq!(colours[0], "#ffc43d");
        colours.sort();
        colours.dedup();
        assert_eq!(colours.len(), 48);
        assert_eq!(of_channel(usize::MAX), of_channel(usize::MAX % 3600));
    }
}
