//! Days, as guides write them and as files are changed on them.

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day {
    year: u32,
    /// 1 to 12.
    month: u32,
    /// 1 to 31.
    day: u32,
}

const NANOSECONDS: u64 = 86_400_000_000_000;

impl Day {
    /// Reads `2026-11-21`, with whatever time behind it, `2026/11/21`, `2026-11` or `2026`: what is left out is the first.
    /// `None` where it is no such date.
    pub(crate) fn parse(text: &str) -> Option<Day> {
        let date = text.trim().split(|c: char| c.is_whitespace() || c == 'T').next()?;
        let numbers: Option<Vec<u32>> = date.split(['-', '/']).map(number).collect();
        let (year, month, day) = match numbers?[..] {
            [year] => (year, 1, 1),
            [year, month] => (year, month, 1),
            [year, month, day] => (year, month, day),
            _ => return None,
        };
        // A year of four digits tells 2026-11-21 from 21-11-26 and 11/21/2026, of which nobody knows what they mean.
        let sound = (1000..=9999).contains(&year) && (1..=12).contains(&month);
        (sound && (1..=days_of(year, month)).contains(&day)).then_some(Day { year, month, day })
    }

    /// The day of a moment in nanoseconds since 1970, in universal time.
    pub(crate) fn of_nanoseconds(nanoseconds: u64) -> Day {
        let mut left = (nanoseconds / NANOSECONDS) as u32;
        let mut first = Day { year: 1970, month: 1, day: 1 };
        while left >= days_of(first.year, first.month) {
            left -= days_of(first.year, first.month);
            first.month = first.month % 12 + 1;
            first.year += u32::from(first.month == 1);
        }
        Day { day: left + 1, ..first }
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn number(digits: &str) -> Option<u32> {
    let sound = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| sound)
}

fn days_of(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_are_written() {
        for (text, expected) in [
            ("2026-11-21", Some("2026-11-21")),
            (" 2026-11-21T08:30:00Z", Some("2026-11-21")),
            ("2026-11-21 08:30 +0100", Some("2026-11-21")),
            ("2026/1/2", Some("2026-01-02")),
            ("2026-11", Some("2026-11-01")),
            ("2026", Some("2026-01-01")),
            ("2024-02-29", Some("2024-02-29")),
            ("2023-02-29", None),
            ("2026-13-01", None),
            ("2026-00-10", None),
            ("21-11-26", None),
            ("11/21/2026", None),
            ("2026-11-21-1", None),
            ("2026-+1", None),
            ("last week", None),
            ("", None),
        ] {
            assert_eq!(Day::parse(text).map(|day| day.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn moments_lie_on_days() {
        for (seconds, expected) in [
            (0u64, "1970-01-01"),
            (86_399, "1970-01-01"),
            (86_400, "1970-01-02"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_767_225_599, "2025-12-31"),
            (1_767_225_600, "2026-01-01"),
        ] {
            assert_eq!(Day::of_nanoseconds(seconds * 1_000_000_000).to_string(), expected);
        }
        // The end of time, as far as it can be told.
        assert_eq!(Day::of_nanoseconds(u64::MAX).to_string(), "2554-07-21");
    }
}
