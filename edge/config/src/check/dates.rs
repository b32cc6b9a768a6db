//! Days, in UTC, as Unix seconds.

use time::{Date, Month};

/// When the day begins; `None` for one that there is not, or before 1970.
pub(super) fn start_of(day: toml::value::Date) -> Option<u64> {
    seconds(date(day)?)
}

/// When the day ends.
pub(super) fn end_of(day: toml::value::Date) -> Option<u64> {
    seconds(date(day)?.next_day()?)
}

fn date(day: toml::value::Date) -> Option<Date> {
    Date::from_calendar_date(day.year.into(), Month::try_from(day.month).ok()?, day.day).ok()
}

fn seconds(day: Date) -> Option<u64> {
    u64::try_from(day.midnight().assume_utc().unix_timestamp()).ok()
}
