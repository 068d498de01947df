//! `checks`: lists them, runs their examples.

use serde::Serialize;

use super::args::{ChecksArgs, ChecksVerb, Format};
use super::{Failure, say, say_json};
use crate::checks::{Catalog, Check, Cite};
use crate::verdict::Ending;

#[derive(Serialize)]
struct Listing<'a> {
    schema: u32,
    kind: &'static str,
    version: &'a str,
    checks: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    title: &'a str,
    area: &'a str,
    subject: &'static str,
    severity: &'static str,
    catalogue: Option<&'a str>,
    cites: &'a [Cite],
    own: bool,
}

pub(super) fn run(args: ChecksArgs) -> Result<Ending, Failure> {
    match args.verb {
        ChecksVerb::List { checks, format } => {
            let catalog = Catalog::load(checks.as_deref()).map_err(Failure::usage)?;
            match format {
                Format::Json => say_json(&Listing {
                    schema: 1,
                    kind: "checks",
                    version: &catalog.version,
                    checks: catalog.checks.values().map(listed).collect(),
                }),
                Format::Text => say(&catalog.checks.values().map(line).collect::<String>()),
            }
            Ok(Ending::Clean)
        }
        ChecksVerb::Test { checks } => {
            let catalog = Catalog::load(checks.as_deref()).map_err(Failure::usage)?;
            let surprises = catalog.test();
            if surprises.is_empty() {
                say(&format!("{} checks, {} examples, all as stated\n", catalog.checks.len(), catalog.examples()));
                return Ok(Ending::Clean);
            }
            let told: Vec<String> = surprises.iter().map(ToString::to_string).collect();
            Err(Failure::usage(anyhow::anyhow!("examples come out otherwise:\n{}", told.join("\n"))))
        }
    }
}

fn listed(check: &Check) -> Listed<'_> {
    Listed {
        id: &check.id,
        title: &check.title,
        area: &check.area,
        subject: check.subject.as_str(),
        severity: check.severity.as_str(),
        catalogue: check.catalogue.as_deref(),
        cites: &check.cites,
        own: check.own,
    }
}

fn line(check: &Check) -> String {
    crate::text::visible(&format!("{:8} {:16} {}: {}", check.severity.as_str(), check.area, check.id, check.title))
        + "\n"
}
