//! The shapes and arithmetic of identifiers: which digits can be a social security number, a
//! Medicare number, a card, a date of birth.
//!
//! Pure functions over bytes. A value that passes is possible, not proven: labels and neighbours
//! decide elsewhere.

use jiff::civil::Date;

/// Nine digits that can be a social security number: area not 000, 666 or 9xx, group not 00, serial
/// not 0000 (SSA, POMS RM 10201.035, read 2026-11-21 from general knowledge), and none of the numbers
/// everybody prints as samples.
pub(crate) fn social_security(digits: &[u8; 9]) -> bool {
    let area = number(&digits[..3]);
    let samples: [&[u8; 9]; 5] = [b"123456789", b"078051120", b"219099999", b"987654321", b"111223333"];
    area != 0
        && area != 666
        && area < 900
        && number(&digits[3..5]) != 0
        && number(&digits[5..]) != 0
        && !digits.iter().all(|digit| *digit == digits[0])
        && !samples.contains(&digits)
}

/// A Medicare beneficiary identifier (CMS "Understanding the MBI": position 1 is 1 to 9, letters
/// leave out S, L, O, I, B and Z). The number on CMS's sample card is not somebody's.
pub(crate) fn medicare(characters: &[u8; 11]) -> bool {
    const SAMPLE: &[u8; 11] = b"1EG4TE5MK73";
    let letter = |byte: u8| byte.is_ascii_uppercase() && !matches!(byte, b'S' | b'L' | b'O' | b'I' | b'B' | b'Z');
    let digit = |byte: u8| byte.is_ascii_digit();
    characters.iter().zip(b"CANDANDAADD").all(|(&byte, shape)| match shape {
        b'C' => matches!(byte, b'1'..=b'9'),
        b'A' => letter(byte),
        b'N' => letter(byte) || digit(byte),
        _ => digit(byte),
    }) && characters != SAMPLE
        && &characters[..10] != b"1EG4TE5MK7"
}

/// The check digit of ISO/IEC 7812-1.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * (1 + u32::from(place % 2 == 1));
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// A payment card: 13 to 19 digits, a known first digit, the check digit, no test number.
pub(crate) fn card(digits: &[u8]) -> bool {
    let tests: [&[u8]; 4] = [b"4111111111111111", b"5555555555554444", b"378282246310005", b"4242424242424242"];
    (13..=19).contains(&digits.len())
        && matches!(digits[0], b'3'..=b'6')
        && luhn(digits)
        && !tests.contains(&digits)
        && !digits.iter().all(|digit| *digit == digits[0])
}

/// A telephone number of the North American plan: area and exchange begin with 2 to 9.
pub(crate) fn telephone(digits: &[u8; 10]) -> bool {
    matches!(digits[0], b'2'..=b'9') && matches!(digits[3], b'2'..=b'9')
}

/// Whether digits or letters are what people write when they have no value: all the same, counting
/// up or down, or the letter X.
pub(crate) fn placeholder(token: &[u8]) -> bool {
    let digits: Vec<u8> = token.iter().copied().filter(u8::is_ascii_digit).collect();
    if digits.len() < 4 {
        return false;
    }
    let steps =
        |step: i16| digits.windows(2).all(|pair| (i16::from(pair[1]) - i16::from(pair[0]) - step).rem_euclid(10) == 0);
    steps(0) || steps(1) || steps(-1) || token.iter().filter(|byte| matches!(byte, b'X' | b'x')).count() > 2
}

/// Reads a date that begins at `text`; gives it and its length. Month first where both fit, as in
/// the United States.
pub(crate) fn date(text: &[u8], today: Date) -> Option<(Date, usize)> {
    numeric_date(text, today).or_else(|| month_first(text, today)).or_else(|| day_first(text, today))
}

/// A date of birth: in the last 120 years, not after today, not the default of a form.
pub(crate) fn birth(date: Date, today: Date) -> bool {
    let form_default = date.year() == 1900 && date.month() == 1 && date.day() == 1;
    date <= today && i32::from(today.year()) - i32::from(date.year()) <= 120 && !form_default
}

fn numeric_date(text: &[u8], today: Date) -> Option<(Date, usize)> {
    let (first, first_length) = leading(text)?;
    // 19620304 and 03041962.
    if first_length == 8 {
        let whole = make(number(&text[..4]), number(&text[4..6]), number(&text[6..8]));
        let american = || make(number(&text[4..8]), number(&text[..2]), number(&text[2..4]));
        return whole.filter(|date| date.year() >= 1900).or_else(american).map(|date| (date, 8));
    }
    let separator = *text.get(first_length)?;
    if !matches!(separator, b'/' | b'-' | b'.') {
        return None;
    }
    let rest = &text[first_length + 1..];
    let (second, second_length) = leading(rest)?;
    if rest.get(second_length) != Some(&separator) {
        return None;
    }
    let last = &rest[second_length + 1..];
    let (third, third_length) = leading(last)?;
    let length = first_length + 1 + second_length + 1 + third_length;
    if text.get(length).is_some_and(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let date = match (first_length, second_length, third_length) {
        (4, 1 | 2, 1 | 2) => make(first, second, third),
        (1 | 2, 1 | 2, 2 | 4) => {
            let year = full_year(third, third_length, today);
            make(year, first, second).or_else(|| make(year, second, first))
        }
        _ => None,
    }?;
    Some((date, length))
}

/// `March 4, 1962`, `Mar 4 1962`.
fn month_first(text: &[u8], today: Date) -> Option<(Date, usize)> {
    let (month, mut at) = month_name(text)?;
    at += gap(&text[at..], b". ");
    let (day, length) = leading(&text[at..])?;
    at += length;
    at += gap_words(&text[at..], &[b"st", b"nd", b"rd", b"th"]);
    at += gap(&text[at..], b", ");
    let (year, year_length) = leading(&text[at..])?;
    if !matches!(year_length, 2 | 4) {
        return None;
    }
    make(full_year(year, year_length, today), month, day).map(|date| (date, at + year_length))
}

/// `4 March 1962`, `04-Mar-1962`, `4 de marzo de 1962`.
fn day_first(text: &[u8], today: Date) -> Option<(Date, usize)> {
    let (day, mut at) = leading(text)?;
    at += gap_words(&text[at..], &[b"st", b"nd", b"rd", b"th"]);
    at += gap(&text[at..], b" -.");
    at += gap_words(&text[at..], &[b"de ", b"of "]);
    let (month, length) = month_name(&text[at..])?;
    at += length;
    at += gap(&text[at..], b" -.,");
    at += gap_words(&text[at..], &[b"de ", b"del "]);
    let (year, year_length) = leading(&text[at..])?;
    if !matches!(year_length, 2 | 4) {
        return None;
    }
    make(full_year(year, year_length, today), month, day).map(|date| (date, at + year_length))
}

/// Whether a month's name stands here, in English or Spanish; its number and length.
pub(crate) fn month_name(text: &[u8]) -> Option<(u32, usize)> {
    const MONTHS: [[&str; 3]; 12] = [
        ["january", "jan", "enero"],
        ["february", "feb", "febrero"],
        ["march", "mar", "marzo"],
        ["april", "apr", "abril"],
        ["may", "may", "mayo"],
        ["june", "jun", "junio"],
        ["july", "jul", "julio"],
        ["august", "aug", "agosto"],
        ["september", "sep", "septiembre"],
        ["october", "oct", "octubre"],
        ["november", "nov", "noviembre"],
        ["december", "dec", "diciembre"],
    ];
    let length = text.iter().take(12).take_while(|byte| byte.is_ascii_alphabetic()).count();
    if length < 3 {
        return None;
    }
    let word = &text[..length];
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    let sept = is("sept") || is("ene") || is("abr") || is("ago") || is("dic");
    if sept {
        let month = if is("sept") {
            9
        } else if is("ene") {
            1
        } else if is("abr") {
            4
        } else if is("ago") {
            8
        } else {
            12
        };
        return Some((month, length));
    }
    (1..).zip(MONTHS).find(|(_, names)| names.iter().any(|name| is(name))).map(|(month, _)| (month, length))
}

fn gap(text: &[u8], of: &[u8]) -> usize {
    text.iter().take(3).take_while(|byte| of.contains(byte)).count()
}

fn gap_words(text: &[u8], words: &[&[u8]]) -> usize {
    words
        .iter()
        .find(|word| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
        .map_or(0, |word| word.len())
}

/// The digits that `text` begins with (at most 8), as a number and their count.
fn leading(text: &[u8]) -> Option<(u32, usize)> {
    let length = text.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    (1..=8).contains(&length).then(|| (number(&text[..length]), length))
}

/// A two-digit year lies in the hundred years up to today.
fn full_year(year: u32, length: usize, today: Date) -> u32 {
    if length > 2 {
        return year;
    }
    let this = u32::try_from(today.year()).unwrap_or(2000);
    let century = this - this % 100;
    if century + year > this { century + year - 100 } else { century + year }
}

fn make(year: u32, month: u32, day: u32) -> Option<Date> {
    let year = i16::try_from(year).ok().filter(|year| (1850..=2200).contains(year))?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Digits as a number; at most 9 of them.
fn number(digits: &[u8]) -> u32 {
    digits.iter().take(9).fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as day;

    const TODAY: Date = day(2026, 11, 21);

    #[test]
    fn impossible_and_sample_social_security_numbers_fail() {
        assert!(social_security(b"219091234"));
        for no in [b"000121234", b"666121234", b"900121234", b"219001234", b"219090000", b"123456789", b"078051120"] {
            assert!(!social_security(no));
        }
    }

    #[test]
    fn a_medicare_number_begins_with_one_to_nine_and_skips_six_letters() {
        assert!(medicare(b"7AC2DE3FG45"));
        assert!(!medicare(b"0AC2DE3FG45"));
        assert!(!medicare(b"7SC2DE3FG45"));
        assert!(!medicare(b"1EG4TE5MK73"), "the sample card");
    }

    #[test]
    fn dates_are_read_in_the_forms_people_write() {
        let expected = day(1962, 3, 4);
        for text in [
            "3/4/1962",
            "03-04-1962",
            "3/4/62",
            "1962-03-04",
            "March 4, 1962",
            "Mar. 4 1962",
            "4 March 1962",
            "19620304",
        ] {
            assert_eq!(date(text.as_bytes(), TODAY).map(|found| found.0), Some(expected), "{text}");
        }
        assert_eq!(date(b"4 de marzo de 1962", TODAY).unwrap().0, expected);
        assert_eq!(date(b"25/12/1960", TODAY).unwrap().0, day(1960, 12, 25));
        assert_eq!(date(b"13/32/1960", TODAY), None);
        assert_eq!(date(b"192.168.1.1", TODAY), None);
    }

    #[test]
    fn a_birth_lies_in_the_last_120_years_and_is_no_form_default() {
        assert!(birth(day(1962, 3, 4), TODAY));
        assert!(!birth(day(1900, 1, 1), TODAY));
        assert!(!birth(day(2027, 1, 1), TODAY));
        assert!(!birth(day(1890, 5, 5), TODAY));
    }

    #[test]
    fn runs_and_repeats_are_placeholders() {
        assert!(
            placeholder(b"00000000")
                && placeholder(b"12345678")
                && placeholder(b"987654")
                && placeholder(b"XXX-XX-1234")
        );
        assert!(!placeholder(b"44556613"));
    }

    #[test]
    fn a_card_has_its_check_digit() {
        assert!(card(b"4539578763621486") && !card(b"4539578763621487") && !card(b"4111111111111111"));
    }
}
