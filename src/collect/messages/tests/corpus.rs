//! A labelled corpus made from a seed. Floors of recall and precision are asserted on a seed that
//! nothing was tuned to; names, numbers and sentences are invented.

use super::*;

/// A small generator with the constants of PCG (M. O'Neill, 2014), enough for test data.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    fn name(&mut self) -> String {
        let given =
            self.pick(&["Maria", "Zorba", "Keisha", "Luis", "Priya", "Oswin", "Tran", "Elowen", "Robert", "Ana"]);
        let family =
            self.pick(&["Quillon", "Abernethy", "Castellanos", "Nakamori", "O'Brannen", "Villareal", "Xu", "Okoro"]);
        format!("{given} {family}")
    }

    fn social(&mut self) -> String {
        format!("{}-{:02}-{:04}", 201 + self.below(400), 11 + self.below(80), 1357 + self.below(8000))
    }

    fn birth(&mut self) -> String {
        let (year, month, day) = (1935 + self.below(75), 1 + self.below(12), 1 + self.below(28));
        match self.below(3) {
            0 => format!("{month:02}/{day:02}/{year}"),
            1 => format!("{year}-{month:02}-{day:02}"),
            _ => format!("{month}/{day}/{:02}", year % 100),
        }
    }

    fn number(&mut self, digits: u32) -> String {
        (10_u64.pow(digits - 1) + self.below(9 * 10_u64.pow(digits - 1) - 1)).to_string()
    }

    fn condition(&mut self) -> &'static str {
        self.pick(&[
            "type 2 diabetes",
            "breast cancer",
            "HIV",
            "major depression",
            "a herniated disc",
            "epilepsy",
            "COPD",
        ])
    }

    fn medicine(&mut self) -> &'static str {
        self.pick(&["metformin", "sertraline", "Eliquis", "Suboxone", "gabapentin", "Humira"])
    }

    fn test(&mut self) -> &'static str {
        self.pick(&["colonoscopy", "mammogram", "A1c", "biopsy", "chest x-ray", "sleep study"])
    }
}

/// Sender, subject, extra header lines and body of a message.
type Written = (String, String, &'static str, String);

const CLINIC: &str = "desk@clinic.example";

fn with_phi(dice: &mut Dice) -> Written {
    let (name, condition, medicine, test) = (dice.name(), dice.condition(), dice.medicine(), dice.test());
    let (birth, record) = (dice.birth(), dice.number(7));
    let plain = |subject: &str, body: String| (CLINIC.to_owned(), subject.to_owned(), "", body);
    match dice.below(12) {
        0 => plain("labs", format!("{name} (DOB {birth}) has new results: {test} abnormal, start {medicine}.")),
        1 => plain(&format!("MRN {record}"), "Please pull the chart before clinic.".to_owned()),
        2 => plain(
            "appeal",
            format!("Denied: {medicine}\nMember ID: W{}\nPatient: {name}\nDx: {condition}", dice.number(9)),
        ),
        3 => plain("disability", format!("{name}, social security number {}, surgery for {condition}", dice.social())),
        4 => plain(
            "Re: call",
            format!("ok\n\n> {name}, d.o.b. {birth}, asks about the {test}\n> diagnosed with {condition}\n"),
        ),
        5 => {
            let rows: String = (0..4)
                .map(|_| format!("{},{},{},{}\n", dice.name(), dice.birth(), dice.number(7), dice.condition()))
                .collect();
            plain("list", format!("Name,DOB,MRN,Diagnosis\n{rows}"))
        }
        6 => plain("cita", format!("La paciente {name}, fecha de nacimiento {birth}, necesita receta de {medicine}.")),
        7 => {
            let body = format!("I was diagnosed with {condition} and need a refill of my {medicine}. Thanks, {name}");
            (format!("someone{record}@gmail.com"), "refill".to_owned(), "", body)
        }
        8 => {
            let social = dice.social();
            let body = format!(
                "<p>Patient: <b>{name}</b></p><div>SSN: {}<i>{}</i></div><p>Admitted with {condition}</p>",
                &social[..5],
                &social[5..]
            );
            (CLINIC.to_owned(), "chart".to_owned(), "Content-Type: text/html; charset=utf-8\n", body)
        }
        9 => plain(
            "denial",
            format!(
                "Patient {name}\nClaim # {}\nCPT 99213, ICD-10 E11.65\nSubscriber ID {}",
                dice.number(10),
                dice.number(9)
            ),
        ),
        10 => plain("visit", format!("{name} was seen on 3/4/2025 for {condition}, {test} ordered.")),
        _ => plain(
            "interface",
            format!("MSH|^~\\&|LAB\nPID|1||{record}^^^H^MR||QUILLON^ZORBA||19620304|F\nOBX|1|NM|GLU\n"),
        ),
    }
}

fn without_phi(dice: &mut Dice) -> Written {
    let (name, condition, medicine, test) = (dice.name(), dice.condition(), dice.medicine(), dice.test());
    let from = |sender: &str, subject: &str, body: String| (sender.to_owned(), subject.to_owned(), "", body);
    match dice.below(14) {
        0 => {
            let body = format!(
                "This month: living with {condition}. Ask your doctor about {medicine}. {name} wrote to us on 3/4/2025."
            );
            ("news@paper.example".to_owned(), "News".to_owned(), "List-Unsubscribe: <mailto:u@paper.example>\n", body)
        }
        1 => from(
            "hr@clinic.example",
            "W-2",
            format!("{name}, payroll needs your SSN {} to correct the W-2 and direct deposit.", dice.social()),
        ),
        2 => from(
            "hr@clinic.example",
            "New hire",
            format!(
                "New hire {name}, SSN {}, DOB {}, start date Monday, medical insurance form attached.",
                dice.social(),
                dice.birth()
            ),
        ),
        3 => from(
            "ship@parcel.example",
            "Shipped",
            format!("Tracking number {} for {name}. Reference {}.", dice.number(14), dice.social()),
        ),
        4 => from(
            "shop@store.example",
            "Points",
            format!("Member ID {}: your rewards points wait. Flu shots available.", dice.number(9)),
        ),
        5 => from(
            "it@clinic.example",
            "Ticket",
            format!("Printer at the nurse station, serial number {}, case no {}.", dice.number(9), dice.number(7)),
        ),
        6 => from(
            "t@vendor.example",
            "Training",
            format!(
                "Log in as test patient Jane Doe, MRN {}, diagnosis {condition}. Not a real patient.",
                dice.number(7)
            ),
        ),
        7 => from("staff@gmail.com", "today", format!("I have the flu and won't be in today. {name}")),
        8 => from(
            "care@paws.example",
            "Bella",
            format!(
                "Bella (canine, DOB {}) is due for rabies and heartworm. Patient ID {}.",
                dice.birth(),
                dice.number(6)
            ),
        ),
        9 => from(
            "c@clinic.example",
            "Policy",
            "Never send a name, MRN, date of birth or diagnosis without encryption.".to_owned(),
        ),
        10 => from(
            "ins@auto.example",
            "Claim",
            format!("Claim number {}, policy number {}, bumper of {name}.", dice.number(9), dice.number(8)),
        ),
        11 => from(
            "air@sky.example",
            "Trip",
            format!("Passenger {name}, frequent flyer {}, date of birth {}, seat B12.", dice.number(9), dice.birth()),
        ),
        12 => from(
            "cme@school.example",
            "Speaker",
            format!("{name}, MD will speak on {condition} and {test} on 3/4/2026. Register now for CME."),
        ),
        _ => from(
            "dev@vendor.example",
            "Build",
            format!("build E11.9.2 of parse(mrn, dob, ssn), commit {}", dice.number(12)),
        ),
    }
}

/// A corpus from a seed, and for each message whether it holds PHI.
fn corpus(seed: u64, count: usize) -> (Vec<String>, Vec<bool>) {
    let mut dice = Dice(seed);
    let mut messages = Vec::new();
    let mut truth = Vec::new();
    for number in 0..count {
        let phi = dice.below(2) == 0;
        let (from, subject, header, body) = if phi { with_phi(&mut dice) } else { without_phi(&mut dice) };
        messages.push(format!(
            "From: {from}\nTo: {CLINIC}\nMessage-ID: <{number}@clinic.example>\nDate: Wed, 4 Mar 2026 10:00:00 +0000\nSubject: {subject}\n{header}\n{body}\n"
        ));
        truth.push(phi);
    }
    (messages, truth)
}

#[test]
fn recall_and_precision_hold_on_an_unseen_seed() {
    let (messages, truth) = corpus(20_261_121, 800);
    let scan = scan_bytes(mbox_of(&messages));
    assert_eq!(scan.messages.len(), truth.len());
    let (mut right, mut missed, mut alarms) = (0.0, 0.0, 0.0);
    for (message, phi) in scan.messages.iter().zip(&truth) {
        match (message.level >= 2, phi) {
            (true, true) => right += 1.0,
            (false, true) => missed += 1.0,
            (true, false) => alarms += 1.0,
            (false, false) => {}
        }
    }
    let (recall, precision) = (right / (right + missed), right / (right + alarms));
    assert!(recall >= 0.97, "recall {recall}");
    assert!(precision >= 0.98, "precision {precision}");
}
