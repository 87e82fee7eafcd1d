//! Names that a reader may have meant.

/// The most letters that names are compared by: the memory and the time that a comparison takes grow with the
/// product of both lengths, and no class that people name is as long.
const MAX_COMPARED: usize = 64;

/// The few of `known` that are nearest to `name`, the nearest first; none if all are far or too long to compare.
pub(crate) fn near_names<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    const MOST: usize = 3;
    if is_long(name) {
        return Vec::new();
    }
    let wanted = name.to_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .filter(|candidate| !is_long(candidate))
        .filter_map(|candidate| {
            let lower = candidate.to_lowercase();
            let distance = strsim::damerau_levenshtein(&wanted, &lower);
            // A name that begins alike is worth a look whatever follows: `mito` for `mito_mem`.
            let begins =
                wanted.len() >= 3 && (lower.starts_with(&wanted) || wanted.starts_with(&lower));
            (begins || distance <= 1 + wanted.chars().count() / 4).then_some((distance, candidate))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(MOST).map(|(_, name)| name).collect()
}

fn is_long(name: &str) -> bool {
    name.chars().nth(MAX_COMPARED).is_some()
}

/// The end of a message about an unknown name; nothing if no name is near.
pub(crate) fn did_you_mean(near: &[&str]) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in near.iter().map(|name| format!("{name:?}")) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { String::new() } else { format!("; near names are {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_a_little_or_begin_alike_are_near() {
        let known = ["mito", "mito_mem", "er", "Nucleus"];
        assert_eq!(near_names("mita", known.into_iter()), ["mito"]);
        assert_eq!(near_names("MITO", known.into_iter()), ["mito", "mito_mem"]);
        assert_eq!(near_names("nucleolus", known.into_iter()), ["Nucleus"]);
        assert!(near_names("golgi", known.into_iter()).is_empty());
    }

    #[test]
    fn one_letter_more_than_a_quarter_of_the_name_may_differ() {
        let known = ["vesicxyz", "vesiwxyz"];
        assert_eq!(near_names("vesicles", known.into_iter()), ["vesicxyz"]);
        assert_eq!(near_names("er", ["np", "ed", "golgi"].into_iter()), ["ed"]);
    }

    /// Comparing two such names would take 80 GB.
    #[test]
    fn long_names_are_not_compared() {
        let long = "a".repeat(100_000);
        assert!(near_names(&long, [long.as_str(), "mito"].into_iter()).is_empty());
        assert_eq!(near_names("mita", [long.as_str(), "mito"].into_iter()), ["mito"]);
    }

    #[test]
    fn names_are_compared_up_to_a_length() {
        let (longest, longer) = ("a".repeat(MAX_COMPARED), "a".repeat(MAX_COMPARED + 1));
        assert_eq!(near_names(&longest, [longest.as_str()].into_iter()), [longest.as_str()]);
        assert!(near_names(&longest, [longer.as_str()].into_iter()).is_empty());
        assert!(near_names(&longer, [longest.as_str()].into_iter()).is_empty());
    }
}
