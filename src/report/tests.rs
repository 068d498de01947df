//! The pages as a reader gets them, from stored assessments.

use std::time::Instant;

use serde_json::Value;

use super::json::v1::Assessment;
use super::{html, markdown, terminal};

const MAPLE_STREET: &str = include_str!("../../fixtures/maple-street-assessment/assessment.json");

fn maple_street() -> Assessment {
    serde_json::from_str(MAPLE_STREET).unwrap()
}

#[test]
fn pages_for_the_eye() {
    // UPDATE_PAGES=folder writes the pages where they can be looked at.
    if let Ok(folder) = std::env::var("UPDATE_PAGES") {
        super::write_all(&maple_street(), std::path::Path::new(&folder)).unwrap();
    }
    println!("{}", terminal::summary(&maple_street(), &terminal::Options::default()));
    let _ = (html::render(&maple_street()).unwrap(), markdown::render(&maple_street()).unwrap());
    let _ = (Instant::now(), Value::Null);
}
