//! The organization as a whole: what its scope declares.

use super::shape::{Fact, fact_group, subject};
use super::{Built, Collection, Context};
use crate::clock::days_between;
use crate::evidence::declared::{self, Declared, DeclaredRetention, Role};
use crate::seen::Seen;

/// Stands for "longer ago than anything", where no date is stated: never for "today".
const LONG_AGO_DAYS: i64 = 36_500;

fact_group! {
    /// The organization's decision on how long mail is kept. HIPAA sets no period for mail.
    pub struct Retention {
        /// The longest time mail is kept, in days; 0 where no limit is stated.
        limit_days: i64 = 0,
        /// Whole days since it was decided; 36,500 where no date is stated.
        decided_days_ago: i64 = LONG_AGO_DAYS,
        /// Whether the file was there to be read.
        file: bool = false,
    }
}

fact_group! {
    /// Who authorized the examination.
    pub struct Authorization {
        /// Whole days until it ends at `as_of`; negative when it has.
        days_left: i64 = 0,
        /// Whether it covers every domain in scope.
        covers_all: bool = false,
    }
}

subject! {
    /// The organization, named by itself.
    pub struct Organization is Organization {
        /// `covered-entity`, `business-associate`, `both`.
        role: String,
        /// Individuals whose information it holds.
        individuals: i64,
        /// Categories of information that other law protects more and that it says it holds.
        sensitive_kinds: Vec<String>,
        /// Its decision on how long mail is kept.
        retention: Retention = Retention::absent(),
        /// Who authorized the examination.
        authorization: Authorization = Authorization::absent(),
    }
}

/// Builds the organization, if the scope names one.
pub fn build(context: Context<'_>) -> Built<Organization> {
    let (id, declared) = match context.evidence.declared() {
        Ok(declared) => declared,
        Err(reason) => return Built { subjects: Vec::new(), collection: Collection::Incomplete(reason) },
    };
    let Some(organization) = &declared.organization else {
        let what = "the organization (`organization` in scope.yaml)".to_owned();
        return Built { subjects: Vec::new(), collection: Collection::NotDeclared(what) };
    };
    let evidence = vec![id.clone()];
    let role = match organization.role {
        Role::Both => "both",
        Role::BusinessAssociate => "business-associate",
        Role::CoveredEntity => "covered-entity",
    };
    let individuals = match organization.individuals {
        Some(count) => Seen::Present(i64::try_from(count).unwrap_or(i64::MAX)),
        None => Seen::not_provided("the number of individuals (`organization.individuals` in scope.yaml)"),
    };
    Built::complete(vec![Organization {
        name: organization.name.clone(),
        role: Fact::present(role.to_owned(), evidence.clone()),
        individuals: Fact::new(individuals, evidence.clone()),
        sensitive_kinds: match &organization.sensitive {
            Some(kinds) => Fact::present(kinds.iter().map(|kind| kind.as_str().to_owned()).collect(), evidence.clone()),
            None => Fact::new(
                Seen::not_provided("categories that other law protects more (`organization.sensitive` in scope.yaml)"),
                evidence.clone(),
            ),
        },
        retention: Fact::new(
            declared.retention.as_ref().map_or(Seen::Absent, |retention| Seen::Present(retained(retention, context))),
            evidence.clone(),
        ),
        authorization: Fact::new(
            declared
                .authorization
                .as_ref()
                .map_or(Seen::Absent, |authorization| Seen::Present(authorized(authorization, declared, context))),
            evidence,
        ),
    }])
}

fn retained(retention: &DeclaredRetention, context: Context<'_>) -> Retention {
    Retention {
        limit_days: retention.mail_max_days.map_or(0, i64::from),
        decided_days_ago: retention.decided.map_or(LONG_AGO_DAYS, |decided| days_between(decided, context.today())),
        file: retention.file_sha256.is_some(),
    }
}

/// An authorization that begins after `as_of` does not authorize yet.
fn authorized(authorization: &declared::Authorization, declared: &Declared, context: Context<'_>) -> Authorization {
    let begun = authorization.on <= context.today();
    let covered = |domain: &declared::DeclaredDomain| {
        authorization.covers.iter().any(|covered| domain.name.is_at_or_below(covered))
    };
    Authorization {
        days_left: days_between(context.today(), authorization.until),
        covers_all: begun && declared.domains.iter().all(covered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{declared, evidence};
    use jiff::civil::date;

    fn build_with(change: impl FnOnce(&mut Declared)) -> Built<Organization> {
        let evidence = evidence(vec![declared(change)]);
        build(Context { evidence: &evidence, as_of: evidence.as_of() })
    }

    fn authorization(on: jiff::civil::Date, covers: &str) -> Option<declared::Authorization> {
        Some(declared::Authorization {
            granted_by: "Ana Ruiz".to_owned(),
            role: "Security Official".to_owned(),
            on,
            until: date(2026, 10, 31),
            covers: vec![covers.parse().unwrap()],
            active_probes: false,
        })
    }

    #[test]
    fn an_authorization_covers_the_names_it_names_once_it_has_begun() {
        let covers = |on, covers: &str| {
            let built = build_with(|declared| declared.authorization = authorization(on, covers));
            let Seen::Present(authorization) = &built.subjects[0].authorization.seen else { panic!() };
            (authorization.covers_all, authorization.days_left)
        };
        assert_eq!(covers(date(2026, 9, 1), "clinic.example"), (true, 30));
        assert_eq!(covers(date(2026, 9, 1), "linic.example"), (false, 30));
        assert_eq!(covers(date(2026, 10, 2), "clinic.example"), (false, 30));
    }

    #[test]
    fn what_the_scope_leaves_out_is_absent_or_unknown() {
        let built = build_with(|declared| {
            declared.retention = Some(DeclaredRetention {
                mail_min_days: None,
                record_mailboxes: Vec::new(),
                record_references: Default::default(),
                mail_max_days: None,
                phi_mailboxes: Vec::new(),
                decided: None,
                file: None,
                file_sha256: None,
            });
        });
        let organization = &built.subjects[0];
        assert_eq!(organization.authorization.seen, Seen::Absent);
        let Seen::Present(retention) = &organization.retention.seen else { panic!() };
        assert_eq!((retention.limit_days, retention.decided_days_ago), (0, LONG_AGO_DAYS));
        assert!(matches!(organization.individuals.seen, Seen::Unknown(_)));
        let bare = build_with(|declared| declared.organization = None);
        assert!(matches!(bare.collection, Collection::NotDeclared(_)));
    }
}
