//! How long to wait: exponential growth to a bound, and a random part of it.

/// `first` doubled so many times, but at most `most`.
#[must_use]
pub fn ceiling(first: u32, doublings: u32, most: u32) -> u32 {
    first.saturating_mul(2_u32.saturating_pow(doublings)).min(most)
}

/// A part of `whole`, evenly spread by a random number: from 0 to just under it.
#[must_use]
pub fn part(whole: u32, random: u16) -> u32 {
    let product = u64::from(whole).saturating_mul(random.into());
    u32::try_from(product / 65_536).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_to_its_bound_and_never_overflows() {
        let ceilings: Vec<_> = (0..6).map(|doublings| ceiling(25, doublings, 250)).collect();
        assert_eq!(ceilings, [25, 50, 100, 200, 250, 250]);
        assert_eq!(ceiling(25, u32::MAX, 250), 250);
        assert_eq!(ceiling(u32::MAX, 1, u32::MAX), u32::MAX);
    }

    #[test]
    fn every_part_is_as_likely_as_any_other() {
        let mut counts = [0_u32; 10];
        for random in 0..=u16::MAX {
            counts[part(10, random) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (6_553..=6_554).contains(count)), "{counts:?}");
        assert!(part(u32::MAX, u16::MAX) < u32::MAX);
    }
}
