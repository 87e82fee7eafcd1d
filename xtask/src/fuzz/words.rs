//! The words of the seeds, which random changes would hardly ever make.

use std::collections::BTreeSet;
use std::fmt::Write;

/// A word that is longer is rather a value than a name.
const LONGEST: usize = 40;

/// A dictionary in libFuzzer's form: each word of each input that is text.
pub(crate) fn dictionary(inputs: &[Vec<u8>]) -> String {
    let mut words = BTreeSet::new();
    for text in inputs.iter().filter_map(|input| std::str::from_utf8(input).ok()) {
        let parts = text.split(|letter: char| !is_of_a_word(letter));
        words.extend(parts.filter(|part| (2..=LONGEST).contains(&part.len())));
    }
    let mut dictionary = String::new();
    for word in words {
        // Nothing fails that writes to a string.
        let _ = writeln!(dictionary, "\"{word}\"");
    }
    dictionary
}

fn is_of_a_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '|' | '<' | '>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_words() {
        let inputs = [b"2{\"dtype\": \"<u2\", \"a\": [1.5e3]}".to_vec(), vec![0xff]];
        assert_eq!(dictionary(&inputs), "\"1.5e3\"\n\"<u2\"\n\"dtype\"\n");
    }
}
