//! Defines dates and times in the forms of the platform's requests.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, PrimitiveDateTime, Time};

const DAY_OF_BIRTH: &[BorrowedFormatItem<'_>] = format_description!("[day]-[month]-[year]");
const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
const TIME_WITH_T: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
const HOURS: &[BorrowedFormatItem<'_>] = format_description!("[hour]");
const HOURS_AND_MINUTES: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");

/// The length of a time without an offset. This length is checked, because the crate `time` also accepts a sign before
/// the year.
const TIME_LENGTH: usize = "YYYY-MM-DD hh:mm:ss".len();

pub(crate) fn is_day_of_birth(text: &str) -> bool {
    text.len() == "DD-MM-YYYY".len() && Date::parse(text, DAY_OF_BIRTH).is_ok()
}

/// Returns whether a text is a time as `YYYY-MM-DD hh:mm:ss`.
pub(crate) fn is_time(text: &str) -> bool {
    text.len() == TIME_LENGTH && PrimitiveDateTime::parse(text, TIME).is_ok()
}

/// Returns whether a text is a time as `YYYY-MM-DDThh:mm:ss` with an offset from UTC: `+hh`, `-hh`, `+hh:mm`
/// or `-hh:mm`.
pub(crate) fn is_time_with_offset(text: &str) -> bool {
    let Some((time, offset)) = text.split_at_checked(TIME_LENGTH) else {
        return false;
    };
    let Some(offset) = offset.strip_prefix(['+', '-']) else {
        return false;
    };
    let is_offset = [HOURS, HOURS_AND_MINUTES]
        .iter()
        .any(|form| Time::parse(offset, form).is_ok());
    is_offset && PrimitiveDateTime::parse(time, TIME_WITH_T).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_birth_is_a_calendar_day_as_dd_mm_yyyy() {
        for day in ["29-02-2000", "30-04-1999", "31-12-1999", "01-01-1999"] {
            assert!(is_day_of_birth(day), "{day}");
        }
        for day in [
            "",
            "30-02-2000",
            "29-02-1999",
            "31-04-1999",
            "31-06-1999",
            "31-09-1999",
            "31-11-1999",
            "32-01-1999",
            "01-13-1999",
            "01-00-1999",
            "00-01-1999",
            "1-1-1999",
            "01-01-99",
            "01-01-1999-1",
            "01-01-+1999",
            "01-01--1999",
            "01/01/1999",
            "+1-01-1999",
            "01-01",
            "\u{661}-01-1999",
        ] {
            assert!(!is_day_of_birth(day), "{day}");
        }
    }

    #[test]
    fn a_time_has_a_day_and_a_clock_time_with_seconds() {
        for time in ["2030-01-31 00:00:00", "2030-12-01 23:59:59"] {
            assert!(is_time(time), "{time}");
        }
        for time in [
            "",
            "2030-01-31",
            "2030-01-31T00:00:00",
            "2030-01-31 24:00:00",
            "2030-01-31 23:60:00",
            "2030-01-31 23:00:60",
            "2030-01-31 23:00",
            "2030-01-31 23:00:00:00",
            "2030-13-31 00:00:00",
            "31-01-2030 00:00:00",
            "2030-01-31 00:00:00 ",
            "2030-01-31  00:00:00",
            "+2030-01-31 00:00:00",
        ] {
            assert!(!is_time(time), "{time}");
        }
    }

    #[test]
    fn an_offset_has_a_sign_and_hours_and_may_have_minutes() {
        for time in ["2030-01-31T23:59:59+02", "2030-01-31T23:59:59-10:30"] {
            assert!(is_time_with_offset(time), "{time}");
        }
        for time in [
            "",
            "2030-01-31T23:59:59",
            "2030-01-31T23:59:59Z",
            "2030-01-31T23:59:59+",
            "2030-01-31T23:59:59+2",
            "2030-01-31T23:59:59+24",
            "2030-01-31T23:59:59+02:60",
            "2030-01-31T23:59:59+02:",
            "2030-01-31 23:59:59+02",
            "2030-01-31T23:59:5\u{e9}02",
            "+2030-01-31T23:59:5+02",
        ] {
            assert!(!is_time_with_offset(time), "{time}");
        }
    }
}
