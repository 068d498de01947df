//! Numbers with their units, as people write them.

use std::time::Duration;

/// A length of time: `500ms`, `90s`, `20m`, `2h`. `None` where it is none, or longer than a week.
pub fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let length = match &text[digits..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        _ => return None,
    };
    (length <= Duration::from_secs(7 * 24 * 3600)).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_need_a_unit_and_an_end() {
        assert_eq!(duration("20m"), Some(Duration::from_secs(1200)));
        assert_eq!(duration("300ms"), Some(Duration::from_millis(300)));
        for text in ["", "20", "m", "-1s", "9999999999999999999s", "200h", "1d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
