//! Days and times as the platform's requests spell them.

/// A number of exactly `length` digits.
fn number(text: &str, length: usize) -> Option<u16> {
    let plain = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// A day that a calendar could have; the platform knows which years had a leap day.
fn is_day(day: &str, month: &str, year: &str) -> bool {
    let (Some(day), Some(month), Some(_)) = (number(day, 2), number(month, 2), number(year, 4))
    else {
        return false;
    };
    let longest = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=longest).contains(&day)
}

fn is_clock(hour: &str, minute: &str, second: &str) -> bool {
    number(hour, 2).is_some_and(|hour| hour < 24)
        && [minute, second]
            .iter()
            .all(|part| number(part, 2).is_some_and(|part| part < 60))
}

/// `DD-MM-YYYY`
pub fn is_day_of_birth(text: &str) -> bool {
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [day, month, year] => is_day(day, month, year),
        _ => false,
    }
}

/// `YYYY-MM-DD hh:mm:ss`, with `separator` between day and time.
pub fn is_moment(text: &str, separator: char) -> bool {
    let Some((day, time)) = text.split_once(separator) else {
        return false;
    };
    let day: Vec<&str> = day.split('-').collect();
    let time: Vec<&str> = time.split(':').collect();
    match (day.as_slice(), time.as_slice()) {
        ([year, month, day], [hour, minute, second]) => {
            is_day(day, month, year) && is_clock(hour, minute, second)
        }
        _ => false,
    }
}

/// `YYYY-MM-DDThh:mm:ss` and an offset from UTC, `+hh`, `-hh`, `+hh:mm` or `-hh:mm`.
pub fn is_moment_with_offset(text: &str) -> bool {
    let Some((moment, offset)) = text.split_at_checked("YYYY-MM-DDThh:mm:ss".len()) else {
        return false;
    };
    let Some(offset) = offset.strip_prefix(['+', '-']) else {
        return false;
    };
    let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "00"));
    is_moment(moment, 'T') && is_clock(hours, minutes, "00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_a_calendar() {
        for day in ["29-02-2000", "30-04-1999", "31-12-1999", "01-01-1999"] {
            assert!(is_day_of_birth(day), "{day}");
        }
        for day in [
            "",
            "30-02-2000",
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
            "01/01/1999",
            "+1-01-1999",
            "01-01",
            "\u{661}-01-1999",
        ] {
            assert!(!is_day_of_birth(day), "{day}");
        }
    }

    #[test]
    fn moments_have_a_day_and_a_clock() {
        for moment in ["2030-01-31 00:00:00", "2030-12-01 23:59:59"] {
            assert!(is_moment(moment, ' '), "{moment}");
        }
        for moment in [
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
        ] {
            assert!(!is_moment(moment, ' '), "{moment}");
        }
    }

    #[test]
    fn an_offset_has_a_sign_and_hours() {
        for moment in ["2030-01-31T23:59:59+02", "2030-01-31T23:59:59-10:30"] {
            assert!(is_moment_with_offset(moment), "{moment}");
        }
        for moment in [
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
        ] {
            assert!(!is_moment_with_offset(moment), "{moment}");
        }
    }
}
