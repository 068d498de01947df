//! The clinic's mail: letters made by rule, the same on every run. Every name, number and
//! illness in them is invented, and every letter says so in its head (`X-Invented: yes`).
//!
//! Social security numbers begin with 899-99. Areas above 772 were never given out before 2011,
//! so no adult of the letters' years has one; readers of such numbers accept them all the same.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, date};

use super::Quarter;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub sent: DateTime,
    /// The part of the Message-ID before the `@`.
    pub id: String,
    pub from: String,
    pub to: String,
    pub subject: String,
    /// Headers beside the usual ones.
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// Whether it was written to hold protected health information.
    pub phi: bool,
}

/// The mailboxes whose mail lies in the client folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailFolder {
    /// `front-desk@clinic.example`, which the scope lists as holding PHI.
    FrontDesk,
    /// `scheduling@clinic.example`, which it does not list.
    Scheduling,
}

const FIRST: [&str; 12] =
    ["Orla", "Tobin", "Maribel", "Casimir", "Ines", "Dagny", "Leopold", "Wren", "Anselm", "Philippa", "Jory", "Odile"];
const LAST: [&str; 11] = [
    "Penhallow",
    "Quillfeather",
    "Ashgrove",
    "Brindlecombe",
    "Thistlewood",
    "Marrowby",
    "Fennimore",
    "Larkspurre",
    "Winterbourne",
    "Oxenholt",
    "Tredegar",
];
/// Illness, its ICD-10-CM code, and what is to be done.
const ILLNESSES: [(&str, &str, &str); 7] = [
    ("type 2 diabetes", "E11.9", "an eye examination"),
    ("atrial fibrillation", "I48.91", "an echocardiogram"),
    ("lumbar radiculopathy", "M54.16", "an MRI of the lumbar spine"),
    ("major depressive disorder", "F33.1", "a psychiatric consultation"),
    ("chronic kidney disease", "N18.3", "an ultrasound of the kidneys"),
    ("asthma", "J45.40", "a spirometry"),
    ("rheumatoid arthritis", "M06.9", "an X-ray of both hands"),
];
const RESULTS: [&str; 4] = [
    "Hemoglobin A1c 8.4 %\nLDL cholesterol 171 mg/dL",
    "Creatinine 1.9 mg/dL\nPotassium 5.4 mmol/L",
    "TSH 9.8 mIU/L\nFree T4 0.7 ng/dL",
    "Biopsy: basal cell carcinoma, margins clear",
];
const REFILLS: [&str; 5] =
    ["metformin 500 mg", "lisinopril 10 mg", "sertraline 50 mg", "albuterol inhaler", "atorvastatin 20 mg"];
const STAFF: [&str; 5] = ["ana.ruiz", "ben.cho", "d.patel", "c.okafor", "n.lind"];

/// The first letter's day, and the days between two letters.
const BEGIN: Date = date(2019, 2, 4);
const FRONT_DESK_STEP: i64 = 23;
const SCHEDULING_STEP: i64 = 61;

/// The letters of a mailbox up to the quarter's day, oldest first.
pub fn letters(folder: MailFolder, quarter: Quarter) -> Vec<Letter> {
    let (step, mailbox) = match folder {
        MailFolder::FrontDesk => (FRONT_DESK_STEP, "front-desk"),
        MailFolder::Scheduling => (SCHEDULING_STEP, "scheduling"),
    };
    (0_i64..)
        .map(|number| (number, BEGIN + (number * step).days()))
        .take_while(|(_, day)| *day <= quarter.day())
        .map(|(number, day)| letter(mailbox, number.unsigned_abs() as usize, day))
        .collect()
}

/// An invented patient.
struct Patient {
    name: String,
    born: Date,
    record: usize,
    social: String,
    member: String,
}

impl Patient {
    fn new(number: usize) -> Self {
        let name = format!("{} {}", FIRST[number % FIRST.len()], LAST[(number * 7) % LAST.len()]);
        let days = i64::try_from((number * 977) % 21_000).expect("below 21,000");
        Self {
            name,
            born: date(1938, 3, 1) + days.days(),
            record: 4_410_000 + (number * 37) % 9_000,
            social: format!("899-99-{:04}", 1 + (number * 131) % 9_000),
            member: format!("XQH{:09}", 200_000_000 + number * 12_347),
        }
    }

    fn born(&self) -> String {
        self.born.strftime("%m/%d/%Y").to_string()
    }
}

fn letter(mailbox: &str, number: usize, day: Date) -> Letter {
    // Patients come back: fewer people than letters.
    let patient = Patient::new(number % 61);
    let staff = format!("{}@clinic.example", STAFF[number % STAFF.len()]);
    let sent =
        day.at(8 + i8::try_from(number % 9).expect("below 9"), i8::try_from(number * 7 % 60).expect("below 60"), 0, 0);
    let mut letter = Letter {
        sent,
        id: format!("{mailbox}.{number:04}"),
        from: staff,
        to: format!("{mailbox}@clinic.example"),
        subject: String::new(),
        headers: Vec::new(),
        body: String::new(),
        phi: false,
    };
    let (name, born, record) = (&patient.name, patient.born(), patient.record);
    // Five letters in twelve are about a patient.
    let turn = number / 12;
    // Five letters in twelve are about a patient.
    match number % 12 {
        1 => {
            letter.phi = true;
            letter.subject = "Referral".to_owned();
            let (illness, code, next) = ILLNESSES[turn % ILLNESSES.len()];
            letter.body = format!(
                "Please send this referral on today.\n\nPatient: {name}\nDOB: {born}\nMRN: {record}\n\n\
                 Diagnosed with {illness} (ICD-10 {code}). Needs {next} before the visit.\n"
            );
        }
        4 => {
            letter.phi = true;
            letter.from = "results@lab.example".to_owned();
            letter.subject = "Lab results".to_owned();
            letter.body = format!(
                "Results for {name}, date of birth {born}, medical record number {record}:\n\n{}\n\n\
                 The patient has not been told yet.\n",
                RESULTS[turn % RESULTS.len()]
            );
        }
        6 => {
            letter.phi = true;
            letter.subject = "Prior authorization needed".to_owned();
            let (illness, code, next) = ILLNESSES[(turn + 3) % ILLNESSES.len()];
            letter.body = format!(
                "Insurance wants a prior authorization for {next}.\n\nPatient {name}, DOB {born}\n\
                 Social security number: {}\nMember ID: {}\n\nDiagnosis: {illness}, {code}.\n",
                patient.social, patient.member
            );
        }
        9 => {
            letter.phi = true;
            letter.subject = "Refill request".to_owned();
            letter.body = format!(
                "{name} (DOB {born}, MRN {record}) called: please refill {}, 90 days, at the pharmacy on Alder Street.\n",
                REFILLS[turn % REFILLS.len()]
            );
        }
        11 => {
            letter.phi = true;
            letter.subject = "Tomorrow's list".to_owned();
            sheet(&mut letter, number);
        }
        0 => ordinary(
            &mut letter,
            "Order confirmation",
            "Your order 20-48813 of exam gloves and table paper ships on Thursday. The invoice follows.\n",
        ),
        2 => ordinary(
            &mut letter,
            "Parking on Friday",
            "The lot behind the building is closed on Friday for new paint. Please park on Birch Street.\n",
        ),
        3 => {
            letter.from = "newsletter@association.example".to_owned();
            letter.headers.push(("List-Id", "Practice news <news.association.example>".to_owned()));
            letter.headers.push(("List-Unsubscribe", "<https://association.example/leave>".to_owned()));
            ordinary(
                &mut letter,
                "Practice news: diabetes care week",
                "This month: how practices prepare for diabetes care week, flu vaccination posters to print, and a webinar on blood pressure cuffs.\n",
            );
        }
        5 => ordinary(
            &mut letter,
            "Staff lunch",
            "Lunch is on Wednesday at noon in the break room. Tell Ana whether you eat meat.\n",
        ),
        7 => ordinary(
            &mut letter,
            "Copier contract",
            "The copier contract ends in spring. Two offers are attached to the ticket 4410-22 in the portal.\n",
        ),
        8 => {
            letter.from = "billing@phone.example".to_owned();
            ordinary(
                &mut letter,
                "Your bill is ready",
                "Your bill for account 771-20994 is ready. Amount due: 214.20. Thank you for your business.\n",
            );
        }
        _ => ordinary(
            &mut letter,
            "Benefits: open enrollment",
            "Open enrollment for the staff health plan begins on Monday. Bring your W-4 if your address has changed.\n",
        ),
    }
    letter
}

fn ordinary(letter: &mut Letter, subject: &str, body: &str) {
    letter.subject = subject.to_owned();
    letter.body = body.to_owned();
}

/// A day's list as an attached table.
fn sheet(letter: &mut Letter, number: usize) {
    let boundary = format!("part-{number:04}");
    let rows: String = (0..6)
        .map(|row| Patient::new((number + row * 5) % 61))
        .zip(["hypertension follow-up", "colonoscopy", "asthma, new inhaler", "wound care", "flu vaccine", "migraine"])
        .map(|(patient, visit)| format!("{},{},{},{visit}\n", patient.name, patient.born(), patient.record))
        .collect();
    letter.headers.push(("Content-Type", format!("multipart/mixed; boundary=\"{boundary}\"")));
    letter.body = format!(
        "--{boundary}\nContent-Type: text/plain; charset=utf-8\n\nThe list for tomorrow is attached.\n\n\
         --{boundary}\nContent-Type: text/csv; charset=utf-8; name=\"list.csv\"\n\
         Content-Disposition: attachment; filename=\"list.csv\"\n\nPatient,DOB,MRN,Reason for visit\n{rows}\n--{boundary}--\n"
    );
}

/// Letters as an mbox (mboxrd: no line of theirs begins with `From `).
pub fn mbox(letters: &[Letter]) -> String {
    letters.iter().map(message).collect()
}

fn message(letter: &Letter) -> String {
    let mut text = format!("From {} {}\n", letter.from, letter.sent.strftime("%a %b %e %H:%M:%S %Y"));
    let mut header = |name: &str, value: &str| text.push_str(&format!("{name}: {value}\n"));
    header("From", &letter.from);
    header("To", &letter.to);
    header("Subject", &letter.subject);
    header("Date", &letter.sent.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string());
    header("Message-ID", &format!("<{}@letters.clinic.example>", letter.id));
    header("X-Invented", "yes");
    header("MIME-Version", "1.0");
    for (name, value) in &letter.headers {
        header(name, value);
    }
    if !letter.headers.iter().any(|(name, _)| *name == "Content-Type") {
        header("Content-Type", "text/plain; charset=utf-8");
    }
    text.push('\n');
    text.push_str(&letter.body);
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_is_the_same_every_time_and_every_letter_says_that_it_is_invented() {
        let second = letters(MailFolder::FrontDesk, Quarter::Second);
        assert_eq!(mbox(&second), mbox(&letters(MailFolder::FrontDesk, Quarter::Second)));
        assert_eq!(second.len(), 118);
        assert_eq!(mbox(&second).matches("\nX-Invented: yes\n").count(), second.len());
    }

    #[test]
    fn a_mail_reader_finds_each_letter_with_its_date() {
        let written = letters(MailFolder::Scheduling, Quarter::Third);
        for (letter, text) in written.iter().zip(mbox(&written).split("\n\nFrom ")) {
            let raw = text.split_once('\n').unwrap().1;
            let message = mail_parser::MessageParser::default().parse(raw.as_bytes()).unwrap();
            let sent = message.date().unwrap();
            assert_eq!(
                (i16::try_from(sent.year).unwrap(), sent.month),
                (letter.sent.year(), letter.sent.month() as u8)
            );
            assert_eq!(message.subject(), Some(letter.subject.as_str()));
        }
    }

    #[test]
    fn the_later_quarter_has_all_letters_of_the_earlier_one() {
        let second = letters(MailFolder::FrontDesk, Quarter::Second);
        let third = letters(MailFolder::FrontDesk, Quarter::Third);
        assert!(third.len() > second.len());
        assert_eq!(third[..second.len()], second);
    }

    #[test]
    fn protected_health_information_lies_past_the_clinics_own_limit() {
        let limit = Quarter::Second.day() - 1095.days();
        let old =
            letters(MailFolder::FrontDesk, Quarter::Second).iter().filter(|l| l.phi && l.sent.date() < limit).count();
        assert!(old > 20, "{old}");
    }
}
