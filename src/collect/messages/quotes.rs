//! Parts what a writer wrote from what she quotes, and leaves out her signature.
//!
//! Works on lines. It changes nothing but the marks of quotation.

/// A body in its two parts.
#[derive(Default)]
pub(super) struct Parted {
    /// What the sender wrote.
    pub(super) own: String,
    /// What she quotes or forwards, without its marks.
    pub(super) quoted: String,
}

/// A signature is at most this many lines; longer text after `-- ` is no signature.
const SIGNATURE_LINES: usize = 12;

/// Parts a body.
pub(super) fn part(body: &str) -> Parted {
    // Most bodies quote nothing.
    let mut parted = Parted { own: String::with_capacity(body.len() + 1), quoted: String::new() };
    let mut forwarded = false;
    // Lines after `-- `, held until it is known whether they are a signature.
    let mut signature: Option<Vec<&str>> = None;
    let mut lines = body.lines().peekable();
    while let Some(line) = lines.next() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some(quoted) = unquoted(line) {
            signature = None;
            push(&mut parted.quoted, quoted);
            continue;
        }
        if !forwarded && begins_forwarded(line, lines.peek().copied()) {
            forwarded = true;
            signature = None;
        }
        if forwarded {
            push(&mut parted.quoted, line);
            continue;
        }
        if line == "-- " || line == "--" {
            signature = Some(Vec::new());
            continue;
        }
        match &mut signature {
            Some(held) if held.len() < SIGNATURE_LINES => held.push(line),
            Some(held) => {
                for held in std::mem::take(held) {
                    push(&mut parted.own, held);
                }
                signature = None;
                push(&mut parted.own, line);
            }
            None => push(&mut parted.own, line),
        }
    }
    parted
}

fn push(to: &mut String, line: &str) {
    to.push_str(line);
    to.push('\n');
}

/// The line without its marks of quotation; `None` if it has none. `>From ` is how mbox files
/// protect a line, not a quotation.
fn unquoted(line: &str) -> Option<&str> {
    let first = line.trim_start_matches([' ', '\t']);
    if !first.starts_with('>') || line.starts_with(">From ") {
        return None;
    }
    Some(first.trim_start_matches(['>', ' ', '|']))
}

/// Whether a forwarded or quoted message begins here, as Outlook and Gmail write it.
fn begins_forwarded(line: &str, next: Option<&str>) -> bool {
    let trimmed = line.trim();
    let dashes = trimmed.starts_with("-----") || trimmed.starts_with("_____") || trimmed.starts_with("Begin forwarded");
    if dashes {
        let lower = trimmed.to_ascii_lowercase();
        return ["original message", "forwarded", "mensaje original", "reenviado"]
            .iter()
            .any(|word| lower.contains(word));
    }
    let header = |line: &str, names: &[&str]| {
        let line = line.trim_start_matches(['*', ' ']);
        names.iter().any(|name| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
    };
    header(trimmed, &["From:", "De:"])
        && next.is_some_and(|next| header(next.trim(), &["Sent:", "Date:", "To:", "Enviado:", "Fecha:", "Para:"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_and_forwards_are_parted_from_the_writers_words() {
        let parted = part("Hello\n> old\n> > older\nbye\n-----Original Message-----\nFrom: x\nrest\n");
        assert_eq!(parted.own, "Hello\nbye\n");
        assert_eq!(parted.quoted, "old\nolder\n-----Original Message-----\nFrom: x\nrest\n");
        assert_eq!(part("a\nFrom: x\nSent: y\nb").quoted, "From: x\nSent: y\nb\n");
    }

    #[test]
    fn a_short_signature_is_left_out_and_a_long_one_is_text() {
        assert_eq!(part("text\n-- \nOncology Clinic\n").own, "text\n");
        let long: String = (0..20).map(|n| format!("line {n}\n")).collect();
        assert!(part(&format!("text\n-- \n{long}")).own.contains("line 0\n"));
    }

    #[test]
    fn protected_from_lines_are_the_writers_own() {
        assert_eq!(part(">From here on\n").own, ">From here on\n");
    }
}
