//! How suspicious a rule is: the points of its traits, each of them named.
//!
//! Points and levels are data (`checks/rule-scoring.yaml`). Here it is only told which traits a
//! rule has. A trait that nobody could find out adds nothing: the score is then a lower bound,
//! known where it is already of note, and otherwise unknown.

use crate::catalogues::rule_scoring::{RuleScoring, Trait};
use crate::facts::exported::Class;
use crate::seen::{NotObserved, Seen};

/// What a score rests on, as far as it is known.
#[derive(Debug)]
pub(super) struct Traits<'r> {
    pub class: Seen<Class>,
    pub deletes: &'r Seen<bool>,
    pub hides: &'r Seen<bool>,
    pub folder: &'r Seen<String>,
    pub marks_read: &'r Seen<bool>,
    pub stops: bool,
    pub moves: bool,
    pub has_conditions: &'r Seen<bool>,
    pub matches_all: &'r Seen<bool>,
    pub hidden: &'r Seen<bool>,
    pub opaque: &'r Seen<bool>,
    pub name_class: &'r Seen<String>,
    pub keywords: &'r [String],
    /// Whether its mailbox is an administrator's, or one that holds PHI.
    pub sensitive: bool,
}

/// The sum and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Score {
    pub points: i64,
    pub level: &'static str,
    /// `+20 deletes mail`, the heaviest first.
    pub parts: Vec<String>,
    /// Whether it keeps mail from its owner's eyes, and shows a sign that this is its purpose.
    pub conceals: bool,
}

/// Yes, no, or why neither.
type Answer = Result<bool, NotObserved>;

fn known(seen: &Seen<bool>) -> Answer {
    match seen {
        Seen::Present(value) => Ok(*value),
        // What is not there does nothing.
        Seen::Absent => Ok(false),
        Seen::Malformed(malformed) => Err(NotObserved::Unreadable { why: malformed.why.clone(), line: None }),
        Seen::Unknown(reason) => Err(reason.clone()),
    }
}

fn both(one: &Answer, other: &Answer) -> Answer {
    match (one, other) {
        (Ok(false), _) | (_, Ok(false)) => Ok(false),
        (Ok(true), other) => other.clone(),
        (one, _) => one.clone(),
    }
}

fn any(one: &Answer, other: &Answer) -> Answer {
    match (one, other) {
        (Ok(true), _) | (_, Ok(true)) => Ok(true),
        (Ok(false), other) => other.clone(),
        (one, _) => one.clone(),
    }
}

fn not(answer: &Answer) -> Answer {
    answer.clone().map(|value| !value)
}

impl Traits<'_> {
    /// Scores the rule; unknown where too little is known for any score of note.
    pub(super) fn score(&self, scoring: &RuleScoring) -> Result<Score, NotObserved> {
        let answers: Vec<(Trait, Answer)> = Trait::ALL.into_iter().map(|one| (one, self.has(one))).collect();
        let has = |one: Trait| answers.iter().any(|(of, answer)| *of == one && *answer == Ok(true));
        let mut parts: Vec<(i64, String)> = answers
            .iter()
            .filter(|(_, answer)| *answer == Ok(true))
            .map(|(of, _)| scoring.weight(*of))
            .map(|weight| (weight.points, format!("+{} {}", weight.points, weight.means)))
            .collect();
        parts.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.cmp(other)));
        let sign = answers.iter().any(|(of, answer)| *answer == Ok(true) && scoring.weight(*of).sign);
        let mut points: i64 = parts.iter().map(|(points, _)| points).sum();
        let mut parts: Vec<String> = parts.into_iter().map(|(_, part)| part).collect();
        if !sign && points > scoring.ordinary_at_most {
            points = scoring.ordinary_at_most;
            parts.push(format!("at most {points} without a sign that it is not its owner's own order"));
        }
        if self.sensitive && points > 0 {
            let raised = points * scoring.sensitive_mailbox_percent / 100;
            // Tidying stays tidying in an administrator's mailbox.
            points = if sign { raised } else { raised.min(scoring.ordinary_at_most) };
            parts.push("raised: the mailbox is an administrator's or holds PHI".to_owned());
        }
        let unknown = answers.iter().find_map(|(_, answer)| answer.clone().err());
        match unknown {
            Some(reason) if points < scoring.levels.medium => return Err(reason),
            Some(_) => parts.push("at least this much: not every trait is known".to_owned()),
            None => {}
        }
        let acts = has(Trait::Deletes) || has(Trait::OutOfSight);
        let conceals = acts && sign;
        Ok(Score { points, level: scoring.level(points), parts, conceals })
    }

    fn has(&self, one: Trait) -> Answer {
        let class = |wanted: &[Class]| match &self.class {
            Seen::Present(class) => Ok(wanted.contains(class)),
            Seen::Absent => Ok(false),
            Seen::Malformed(malformed) => Err(NotObserved::Unreadable { why: malformed.why.clone(), line: None }),
            Seen::Unknown(reason) => Err(reason.clone()),
        };
        let (deletes, hides, marks_read) = (known(self.deletes), known(self.hides), known(self.marks_read));
        let acts = any(&deletes, &hides);
        let outside = class(&[Class::External, Class::ConsumerWebmail]);
        let sends = not(&class(&[Class::None]));
        let has_word = |word: &str| Ok(self.keywords.iter().any(|known| known == word));
        let name = |wanted: &[&str]| match self.name_class {
            Seen::Present(class) => Ok(wanted.contains(&class.as_str())),
            Seen::Absent => Ok(false),
            Seen::Malformed(malformed) => Err(NotObserved::Unreadable { why: malformed.why.clone(), line: None }),
            Seen::Unknown(reason) => Err(reason.clone()),
        };
        let folder = |wanted: &str| match self.folder {
            Seen::Present(class) => Ok(class == wanted),
            Seen::Absent => Ok(false),
            Seen::Malformed(malformed) => Err(NotObserved::Unreadable { why: malformed.why.clone(), line: None }),
            Seen::Unknown(reason) => Err(reason.clone()),
        };
        let of_note = any(&acts, &sends);
        match one {
            Trait::AllMail => {
                let unconditional = any(&not(&known(self.has_conditions)), &known(self.matches_all));
                both(&any(&of_note, &Ok(self.moves)), &unconditional)
            }
            Trait::Buried => both(&folder("buried"), &any(&marks_read, &deletes)),
            Trait::Deletes => deletes,
            Trait::Hidden => both(&any(&of_note, &Ok(self.moves)), &self.hidden_or_not_asked()),
            Trait::MarksRead => both(&any(&acts, &Ok(self.moves)), &marks_read),
            Trait::MatchesEverything => both(&any(&of_note, &Ok(self.moves)), &known(self.matches_all)),
            Trait::NameHardToNotice => both(&of_note, &name(&["empty", "punctuation", "repeated", "short"])),
            Trait::NameWithUnseenCharacters => both(&of_note, &name(&["invisible", "lookalike"])),
            Trait::OutOfSight => hides,
            Trait::SendsOutside => class(&[Class::External]),
            Trait::SendsToConsumerWebmail => class(&[Class::ConsumerWebmail]),
            Trait::SendsToNobodyKnowsWhom => class(&[Class::Unparseable, Class::Unresolved]),
            Trait::Stops => both(&of_note, &Ok(self.stops)),
            Trait::Unreadable => known(self.opaque),
            Trait::WordsBounce => both(&acts, &has_word("bounce")),
            Trait::WordsHealth => both(&outside, &has_word("health")),
            Trait::WordsOversight => both(&acts, &has_word("oversight")),
            Trait::WordsPayment => both(&any(&acts, &outside), &has_word("payment")),
            Trait::WordsSecurity => both(&any(&acts, &outside), &has_word("security")),
            Trait::WordsWarning => both(&acts, &has_word("warning")),
        }
    }

    /// An export that does not tell hidden rules apart says nothing of them: that is a gap of its
    /// own (the rules without the hidden ones), and no reason to call every score unknown.
    fn hidden_or_not_asked(&self) -> Answer {
        Ok(self.hidden.present() == Some(&true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NO: Seen<bool> = Seen::Present(false);
    static YES: Seen<bool> = Seen::Present(true);

    static NOTHING: Seen<String> = Seen::Absent;

    fn score<'t>(change: impl FnOnce(&mut Traits<'t>)) -> Result<Score, NotObserved> {
        let mut traits = Traits {
            class: Seen::Present(Class::None),
            deletes: &NO,
            hides: &NO,
            folder: &NOTHING,
            marks_read: &NO,
            stops: false,
            moves: false,
            has_conditions: &YES,
            matches_all: &NO,
            hidden: &NO,
            opaque: &NO,
            name_class: &NOTHING,
            keywords: &[],
            sensitive: false,
        };
        change(&mut traits);
        traits.score(RuleScoring::shipped())
    }

    #[test]
    fn every_trait_that_counts_is_named() {
        let words = ["payment".to_owned()];
        let found = score(|rule| (rule.deletes, rule.marks_read, rule.keywords) = (&YES, &YES, &words)).unwrap();
        assert_eq!((found.points, found.level, found.conceals), (45, "high", true));
        assert_eq!(
            found.parts,
            ["+20 deletes mail", "+15 looks for words about payments", "+10 marks as read what it deletes or moves"]
        );
    }

    #[test]
    fn tidying_stays_low() {
        let found = score(|rule| (rule.deletes, rule.marks_read, rule.stops) = (&YES, &YES, true)).unwrap();
        assert_eq!((found.points, found.level, found.conceals), (24, "low", false));
        let found = score(|rule| (rule.deletes, rule.sensitive) = (&YES, true)).unwrap();
        assert_eq!(found.level, "low");
    }

    #[test]
    fn what_is_not_known_makes_a_lower_bound_or_nothing() {
        let lost = Seen::Unknown(NotObserved::Lost { why: "x".to_owned() });
        assert!(score(|rule| rule.hides = &lost).is_err());
        let found = score(|rule| (rule.hides, rule.class) = (&lost, Seen::Present(Class::ConsumerWebmail))).unwrap();
        assert_eq!((found.points, found.level), (60, "high"));
        assert!(found.parts.iter().any(|part| part.starts_with("at least")));
    }
}
