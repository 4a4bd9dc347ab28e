//! Months of the calendar, in UTC.

use crate::api::UnixSeconds;

const DAY: u64 = 86_400;

/// First second of the month that a moment lies in.
pub(crate) fn month_of(at: UnixSeconds) -> UnixSeconds {
    let day_of_month = date(at).2;
    UnixSeconds((at.0 / DAY).saturating_sub(u64::from(day_of_month) - 1) * DAY)
}

/// A moment as ISO 8601, `2026-11-22T20:53:46Z`.
pub(crate) fn iso(at: UnixSeconds) -> String {
    let (year, month, day) = date(at);
    let (hour, minute, second) = (at.0 / 3_600 % 24, at.0 / 60 % 60, at.0 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day. Days are counted in eras of 400 years that begin on a 1st of March.
fn date(at: UnixSeconds) -> (u64, u32, u32) {
    let days = at.0 / DAY + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    // A month has at most 31 days, a year twelve months.
    (year, u32::try_from(month).unwrap_or_default(), u32::try_from(day).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_the_calendar_says() {
        assert_eq!(iso(UnixSeconds(0)), "1970-01-01T00:00:00Z");
        assert_eq!(iso(UnixSeconds(951_782_400)), "2000-02-29T00:00:00Z");
        assert_eq!(iso(UnixSeconds(1_798_761_599)), "2026-12-31T23:59:59Z");
    }

    #[test]
    fn months_begin_on_their_first_day() {
        // 29 February 2000, 12:00.
        assert_eq!(iso(month_of(UnixSeconds(951_825_600))), "2000-02-01T00:00:00Z");
        assert_eq!(iso(month_of(UnixSeconds(1_798_761_600))), "2027-01-01T00:00:00Z");
        assert_eq!(month_of(UnixSeconds(86_399)), UnixSeconds(0));
    }
}
