//! HTTP dates (RFC 9110 §5.6.7): their three forms, and nothing that merely looks like one.

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The date in Unix seconds. Case is forgiven (RFC 9111 §4.2), and so is the name of another day, which says nothing
/// that the date does not; anything else that is wrong makes it no date, and an `Expires` that is no date is in the past
/// (§5.3).
pub(crate) fn unix_seconds(date: &str) -> Option<u64> {
    let date = in_case(date);
    let (name, rest) = date.split_at_checked(date.find(|letter: char| !letter.is_ascii_alphabetic())?)?;
    let name_of = |day: &&'static str| day.get(..if name.len() == 3 { 3 } else { day.len() });
    let mut names = DAYS.iter().filter_map(name_of);
    names.clone().find(|day| *day == name)?;
    let time = names.find_map(|day| httpdate::parse_http_date(&format!("{day}{rest}")).ok())?;
    time.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// Names of days and months with one capital, the zone in capitals.
fn in_case(date: &str) -> String {
    let mut in_word = false;
    let cased = date.trim().chars().map(|character| {
        let starts = !std::mem::replace(&mut in_word, character.is_ascii_alphabetic());
        if starts { character.to_ascii_uppercase() } else { character.to_ascii_lowercase() }
    });
    let cased: String = cased.collect();
    match cased.strip_suffix(" Gmt") {
        Some(rest) => format!("{rest} GMT"),
        None => cased,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9110_5_6_7_the_three_forms_are_read_in_any_case() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "SUN, 06 NOV 1994 08:49:37 gmt",
            "Thu, 06 Nov 1994 08:49:37 GMT",
            "Thu Nov  6 08:49:37 1994",
        ] {
            assert_eq!(unix_seconds(date), Some(784_111_777), "{date}");
        }
    }

    #[test]
    fn rfc9111_5_3_what_is_not_exactly_a_date_is_none() {
        for date in [
            "0",
            "",
            "Abc, 06 Nov 1994 08:49:37 GMT",
            "Thu, 18 Aug 2050 02:01:18 UTC",
            "Thu, 18 Aug 2050 02:01:18 AEST",
            "Thu, 18 Aug 50 02:01:18 GMT",
            "Thu 18 Aug 2050 02:01:18 GMT",
            "Thu, 18  Aug  2050 02:01:18 GMT",
            "Thu, 18-Aug-2050 02:01:18 GMT",
            "Thu, 18 Aug 2050 02.01.18 GMT",
            "Thu, 18 Aug 2050 2:01:18 GMT",
        ] {
            assert_eq!(unix_seconds(date), None, "{date}");
        }
    }
}
