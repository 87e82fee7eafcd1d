//! Names that a reader may have meant.

/// The few of `known` that are nearest to `name`, the nearest first; none if all are far.
pub(crate) fn near_names<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    const MOST: usize = 3;
    let wanted = name.to_lowercase();
    let mut near: Vec<(usize, &str)> = known
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
