//! The local time of the user: for names of files, dates of recordings, and cuts at the full hour.

use std::{env, time::SystemTime};

use jiff::{Timestamp, Zoned, tz::TimeZone};

/// When summer time begins and ends if `TZ` names summer time without a rule, as in the C libraries: from the second
/// Sunday of March to the first of November. POSIX.1-2024, section 8.3, leaves it to the implementation.
const USUAL_RULE: &str = ",M3.2.0,M11.1.0";

/// The zone of `TZ`, also if it omits that rule (`CET-1CEST`), else that of the system.
#[must_use]
pub fn zone() -> TimeZone {
    let without_rule = env::var("TZ").ok().and_then(|words| zone_without_rule(&words));
    without_rule.unwrap_or_else(TimeZone::system)
}

fn zone_without_rule(words: &str) -> Option<TimeZone> {
    // The system looks up a complete rule, or the name of a zone.
    let is_whole = TimeZone::posix(words).is_ok();
    (!is_whole).then(|| TimeZone::posix(&format!("{words}{USUAL_RULE}")).ok()).flatten()
}

/// The current time in that zone.
#[must_use]
pub fn now() -> Zoned {
    Timestamp::now().to_zoned(zone())
}

/// `time` in that zone; `None` outside the years that can be written.
#[must_use]
pub fn at(time: SystemTime) -> Option<Zoned> {
    Some(Timestamp::try_from(time).ok()?.to_zoned(zone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_that_does_not_say_when_summer_begins_has_the_usual_rule() {
        // As `TZ=… date` prints them.
        for (words, winter, spring, summer) in [
            ("CET-1CEST", "01:46:40+01:00", "01:46:40+02:00", "21:46:40+02:00"),
            ("EST5EDT", "19:46:40-05:00", "19:46:40-04:00", "15:46:40-04:00"),
            ("<-03>3<-02>", "21:46:40-03:00", "21:46:40-02:00", "17:46:40-02:00"),
        ] {
            let zone = zone_without_rule(words).unwrap();
            let shown = |second: i64| {
                let at = Timestamp::from_second(second).unwrap().to_zoned(zone.clone());
                at.strftime("%H:%M:%S%:z").to_string()
            };
            // The 20th of January, the 10th and the 30th of March 2026.
            let found = [1_768_870_000, 1_773_100_000, 1_774_900_000].map(shown);
            assert_eq!(found[1..], [spring, summer], "{words}");
            assert!(found[0].ends_with(&winter[8..]), "{words}: {found:?}");
        }
        for words in
            ["CET-1CEST,M3.5.0,M10.5.0/3", "CET-1", "UTC0", "Europe/Berlin", "UTC", "", "nonsense 7", ":CET-1CEST"]
        {
            assert!(zone_without_rule(words).is_none(), "{words}");
        }
    }
}
