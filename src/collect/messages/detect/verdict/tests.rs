use super::*;
use crate::collect::messages::detect::examine;
use crate::collect::messages::fold::Folded;
use jiff::civil::date;

fn read_with(text: &str, circumstances: Circumstances<'_>) -> Reading {
    examine(&Folded::of(&[text]).0, &circumstances, date(2026, 11, 21))
}

fn level_with(text: &str, circumstances: Circumstances<'_>) -> u8 {
    read_with(text, circumstances).level
}

fn level(text: &str) -> u8 {
    level_with(text, Circumstances::default())
}

#[test]
fn a_labelled_identifier_beside_health_is_high() {
    assert_eq!(level("Pt MRN: 4455661, biopsy came back malignant"), 3);
    assert_eq!(level("SSN 219-09-1234 for the prior auth of metformin"), 3);
    assert_eq!(level("Paciente con diabetes, fecha de nacimiento: 4/3/1962"), 3);
}

#[test]
fn identifiers_alone_and_health_alone_are_not_phi() {
    assert_eq!(level("Your SSN 219-09-1234 is needed for the W-4 and direct deposit"), 0);
    assert_eq!(level("Ten facts about diabetes and blood pressure"), 0);
    assert_eq!(level("SSN: 219-09-1234"), 0);
}

#[test]
fn a_record_number_says_by_itself_that_somebody_is_a_patient() {
    assert_eq!(level("please pull chart no 4455661"), 2);
}

#[test]
fn enrolment_by_an_employer_is_not_phi() {
    assert_eq!(
        level("Open enrollment: new hire Ana Ruiz, SSN 219-09-1234, payroll needs her health insurance form"),
        0
    );
}

#[test]
fn invented_patients_and_animals_are_no_patients() {
    assert_eq!(level("Use test patient ZZTEST, MRN 4455661, diagnosis asthma, in the training environment"), 0);
    assert_eq!(level("Rex, canine, DOB 3/4/2019, rabies vaccine and biopsy at the veterinary clinic"), 0);
}

#[test]
fn a_name_beside_health_is_likely_phi_and_beside_one_sign_worth_a_look() {
    assert_eq!(level("Maria Quillon has a sore, swollen knee"), 2);
    assert_eq!(level("Maria Quillon hurt herself"), 1);
    assert_eq!(level("Mrs. Quillon's biopsy is back"), 2);
    assert_eq!(level("Maria Quillon came in on 3/4/2025, biopsy shows melanoma, please call"), 2);
}

#[test]
fn everyday_business_about_a_person_is_not_health_of_hers() {
    for text in [
        "Le escribe Ana Ruiz del banco",
        "Ana Ruiz cambia la reserva para 2",
        "DNI de Ana Ruiz",
        "Ana Ruiz se queja de la factura",
        "Dana Whitfield is well versed in billing rules",
        "Windows 10 reaches end of life, says Dana Whitfield",
        "Q3 results show growth, writes Dana Whitfield",
        "Risk assessment completed, signed by Dana Whitfield",
        "port access on the switch for Dana Whitfield",
    ] {
        assert!(level(text) < 2, "{text}");
    }
}

#[test]
fn pets_and_words_of_conferences_take_nothing_from_a_patient() {
    assert_eq!(level("Ana Ruiz, MRN 4455661, alergia a perro y gato, asma"), 3);
    assert_eq!(level("Maria Quillon: the reviewer upheld the denial after peer review of her biopsy for melanoma"), 2);
    assert_eq!(level("Albuterol is on backorder for Maria Quillon, asthma; the spacer is backordered too"), 2);
    let campaign = Circumstances { campaign: true, ..Circumstances::default() };
    assert_eq!(level_with("Maria Quillon came in on 3/4/2025, biopsy shows melanoma", campaign), 2);
}

#[test]
fn each_name_of_one_word_beside_health_may_be_somebody() {
    let text =
        "- Haugen (asthma, melanoma, biopsy)\n- Huerta (diabetes, dialysis, biopsy)\n- Quintero (cirrhosis, MRI)";
    let (folded, _) = Folded::of(&[text]);
    let reading = examine(&folded, &Circumstances::default(), date(2026, 11, 21));
    assert_eq!(reading.people(folded.text(), &[7; 32]).len(), 3);
    assert!(reading.kinds.contains("name"));
}

#[test]
fn somebody_writing_of_herself_from_her_own_address_is_likely_phi() {
    let personal = Circumstances { personal_sender: true, ..Circumstances::default() };
    let text = "Hello, I was diagnosed with asthma and need a refill of my albuterol. Thank you";
    assert_eq!(level_with(text, personal), 2);
    assert!(level_with(text, Circumstances { bulk: true, ..personal }) < 2);
}

#[test]
fn notices_speak_of_nobody() {
    let notice = "Confidentiality notice: this e-mail may contain protected health information, \
                  diagnosis or treatment records. Please notify the sender.";
    let reading = examine(&Folded::of(&[notice]).0, &Circumstances::default(), date(2026, 11, 21));
    assert!(!reading.health);
}

#[test]
fn a_correspondent_is_one_person_and_no_mixture_of_several() {
    let names = |all: &[&str]| -> Vec<Vec<Vec<u8>>> {
        all.iter().map(|name| name.split(' ').map(|word| word.as_bytes().to_vec()).collect()).collect()
    };
    let with = |text: &str, of: &[&str]| {
        let names = names(of);
        level_with(text, Circumstances { correspondents: &names, ..Circumstances::default() })
    };
    let text = "Maria Quillon has a sore, swollen knee";
    assert_eq!(with(text, &["maria quillon"]), 0);
    assert_eq!(with(text, &["maria ruiz", "zorba quillon"]), 2, "two people who lend a word each are not she");
    let short = "Mrs. Bo Li has a sore, swollen knee";
    assert_eq!(with(short, &[]), with(short, &["ana ruiz"]));
    assert!(with(short, &["ana ruiz"]) >= 1, "a name of short words is nobody's of theirs");
}

#[test]
fn loyalty_numbers_are_no_plan_numbers() {
    assert_eq!(level("Gym member ID 88442211: your rewards points and hospital-grade towels, patient staff"), 0);
    assert_eq!(level("Aetna member ID W88442211, authorization for MRI knee"), 3);
}

#[test]
fn categories_that_other_law_protects_more_are_named() {
    for (text, kind) in [
        ("Patient Zorba Quillon, MRN 4455661, started suboxone on Monday.", "sensitive-substance-use"),
        ("Patient Zorba Quillon, MRN 4455661: brca result is back, biopsy planned.", "sensitive-genetic"),
        ("Patient Zorba Quillon, MRN 4455661: miscarriage at nine weeks.", "sensitive-reproductive"),
        ("Patient Zorba Quillon, DOB 03/04/2019, has an ear infection and needs a refill.", "sensitive-minors"),
    ] {
        let reading = read_with(text, Circumstances::default());
        assert!(reading.kinds.contains(kind), "{text}: {:?}", reading.kinds);
    }
    let adult = "Patient Zorba Quillon, DOB 03/04/1962, has an ear infection and needs a refill.";
    let adult = read_with(adult, Circumstances::default());
    assert!(adult.level >= 2 && !adult.kinds.iter().any(|kind| kind.starts_with("sensitive-")), "{:?}", adult.kinds);
}
