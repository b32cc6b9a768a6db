//! "Did you mean": the nearest of the known names.

/// A hint to append to a fault: the nearest known name, or else all of them.
pub(crate) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let nearest = known.iter().map(|candidate| (distance(name, candidate), *candidate)).min();
    match nearest {
        Some((edits, candidate)) if edits <= allowed(name) => format!("did you mean `{candidate}`?"),
        Some(_) => format!("known are {}", quoted(&known)),
        None => "none is defined".into(),
    }
}

/// `a`, `b`, `c`.
pub(crate) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A third of the letters may differ: more is another word, not a slip.
fn allowed(name: &str) -> usize {
    name.len().div_ceil(3)
}

/// Levenshtein distance, by rows.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (index, wanted) in from.chars().enumerate() {
        row = next_row(&row, index.saturating_add(1), wanted, to);
    }
    row.last().copied().unwrap_or_default()
}

fn next_row(above: &[usize], first: usize, wanted: char, to: &str) -> Vec<usize> {
    let mut row = vec![first];
    let mut left = first;
    for (pair, letter) in above.windows(2).zip(to.chars()) {
        let [diagonal, up] = pair else { continue };

        let swap = diagonal.saturating_add(usize::from(letter != wanted));
        left = swap.min(up.saturating_add(1)).min(left.saturating_add(1));
        row.push(left);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("runs", "runs"), 0);
    }

    #[test]
    fn a_slip_is_named_and_another_word_lists_all() {
        assert_eq!(hint("bakend", ["frontend", "backend"]), "did you mean `backend`?");
        assert_eq!(hint("mail", ["frontend", "backend"]), "known are `frontend`, `backend`");
        assert_eq!(hint("mail", []), "none is defined");
    }
}
