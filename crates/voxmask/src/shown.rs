//! Text of strangers, such as names in metadata, made fit for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::Value;

/// The text with everything written out that a terminal obeys, or that turns the order of letters around: a name
/// must not be able to hide what was printed before, or to look like another.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_obeyed(letter) {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// The same for text of several lines, of which only the first begins at the margin.
pub(crate) fn shown_lines(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n    ")
}

/// A value as JSON for people and programs, all in ASCII that a terminal would obey otherwise.
pub(crate) fn json_text(value: &Value) -> serde_json::Result<String> {
    let text = serde_json::to_string_pretty(value)?;
    let is_layout = |letter| letter == '\n';
    if !text.contains(|letter| is_obeyed(letter) && !is_layout(letter)) {
        return Ok(text);
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_obeyed(letter) && !is_layout(letter) {
            // Only texts hold such letters, all with 16 bits; writing to a string cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    Ok(shown)
}

fn is_obeyed(letter: char) -> bool {
    let turns_around = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || turns_around
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(shown("a\u{9b}2J\u{7}\r\n"), "a\\u{9b}2J\\u{7}\\u{d}\\u{a}");
        assert_eq!(shown("rraz\u{202e}.b"), "rraz\\u{202e}.b");
        assert_eq!(shown("äöü 細胞 🧫"), "äöü 細胞 🧫");
    }

    #[test]
    fn further_lines_do_not_look_like_the_first() {
        assert_eq!(shown_lines("cannot open a\nerror: b\r\n"), "cannot open a\n    error: b");
    }

    #[test]
    fn json_stays_the_same_value() {
        let value = serde_json::json!({"name": "a\u{1b}\u{9b}2J\n\u{7f}\u{202e}ö", "list": [1, 2]});
        let text = json_text(&value).unwrap();
        assert!(!text.contains(|letter: char| letter != '\n' && is_obeyed(letter)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
