//! Takes apart what other assessors collected: ScubaGear and ScubaGoggles keep many exports in one
//! document. Each of them is read as if it had been handed over by itself, under the document's
//! name and its own key.
//!
//! Only what was collected is read. What those programs concluded is not taken over.

use std::io::Read;

use serde_json::Value;

use super::bundle::Content;
use super::decode::{Decoded, Survey};
use super::json;
use super::recognise::Format;
use super::row::Row;
use super::settings;

/// Larger documents are not taken apart.
const DOCUMENT_BYTES: u64 = 64 * 1024 * 1024;

/// One export inside a document.
pub struct Part {
    /// The document's key.
    pub key: &'static str,
    pub format: Format,
    /// Rows, or why one is none.
    pub rows: Vec<Result<Row, String>>,
    /// Why it may not be whole.
    pub failed: Option<String>,
}

/// The document: what it is, and what lies in it.
pub struct Document {
    pub format: &'static str,
    pub parts: Vec<Part>,
}

/// Keys of ScubaGear's provider export, what they hold, and the command that fills them.
const SCUBAGEAR: [(&str, Format, &str); 11] = [
    ("accepted_domains", Format::AcceptedDomains, "Get-AcceptedDomain"),
    ("admin_audit_log_config", Format::AdminAuditLog, "Get-AdminAuditLogConfig"),
    ("conditional_access_policies", Format::ConditionalAccess, "Get-MgBetaIdentityConditionalAccessPolicy"),
    ("dlp_compliance_policies", Format::DlpPolicies, "Get-DlpCompliancePolicy"),
    ("org_config", Format::Organization, "Get-OrganizationConfig"),
    ("outbound_connectors", Format::OutboundConnectors, "Get-OutboundConnector"),
    ("protection_alerts", Format::AlertPolicies, "Get-ProtectionAlert"),
    ("remote_domains", Format::RemoteDomains, "Get-RemoteDomain"),
    ("sharing_policy", Format::SharingPolicies, "Get-SharingPolicy"),
    ("transport_config", Format::TransportConfig, "Get-TransportConfig"),
    ("transport_rule", Format::TransportRules, "Get-TransportRule"),
];

/// Takes the document apart if it is one of these.
pub fn read(content: &Content, survey: &Survey) -> Option<Document> {
    if survey.bytes == 0 || survey.bytes > DOCUMENT_BYTES || survey.binary.is_some() {
        return None;
    }
    let mut text = Decoded::new(content.open().ok()?.take(survey.bytes), survey.encoding);
    let mut start = vec![0; 256];
    let read = text.read(&mut start).ok()?;
    start.truncate(read);
    if start.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return None;
    }
    text.read_to_end(&mut start).ok()?;
    // The keys stand in the text before anything is parsed, so that no other export is parsed twice.
    let has = |word: &str| memchr::memmem::find(&start, word.as_bytes()).is_some();
    if !(has("\"remote_domains\"") || has("\"policies\"") && has("\"successful_calls\"")) {
        return None;
    }
    let document: Value = serde_json::from_slice(&start).ok()?;
    let raw = document.get("Raw").unwrap_or(&document);
    scubagear(raw).or_else(|| scubagoggles(raw))
}

fn scubagear(raw: &Value) -> Option<Document> {
    if SCUBAGEAR.iter().filter(|(key, ..)| raw.get(key).is_some()).count() < 3 {
        return None;
    }
    let failed: Vec<&str> = raw
        .as_object()?
        .iter()
        .filter(|(key, _)| key.ends_with("_unsuccessful_commands"))
        .filter_map(|(_, value)| value.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let parts = SCUBAGEAR.iter().filter_map(|(key, format, command)| {
        let value = raw.get(key)?;
        let rows = match value {
            Value::Array(rows) => rows.iter().enumerate().map(|(number, row)| one(row, number)).collect(),
            Value::Object(_) => vec![one(value, 0)],
            _ => Vec::new(),
        };
        // A list that a command without rights left empty says nothing.
        let failed = failed.iter().any(|known| known.eq_ignore_ascii_case(command));
        let why = format!("the collector says that {command} did not succeed");
        Some(Part { key, format: *format, rows, failed: failed.then_some(why) })
    });
    Some(Document { format: "microsoft365.scubagear", parts: parts.collect() })
}

fn scubagoggles(raw: &Value) -> Option<Document> {
    let policies = raw.get("policies")?.as_object()?;
    let failed = raw.get("unsuccessful_calls").and_then(Value::as_array);
    let failed =
        failed.is_some_and(|calls| calls.iter().filter_map(Value::as_str).any(|call| call.contains("policies")));
    let mut rows = Vec::new();
    for (unit, said) in policies {
        // Its keys are the Policy API's names with other separators.
        for kind in settings::google_policies() {
            if let Some(value) = said.get(kind.replace('.', "_")) {
                let policy = serde_json::json!({
                    "policyQuery": { "orgUnit": unit },
                    "setting": { "type": format!("settings/{kind}"), "value": value },
                });
                rows.push(one(&policy, rows.len()));
            }
        }
    }
    let failed = failed.then(|| "the collector says that the policies could not all be read".to_owned());
    let part = Part { key: "policies", format: Format::GooglePolicies, rows, failed };
    Some(Document { format: "google-workspace.scubagoggles", parts: vec![part] })
}

fn one(value: &Value, number: usize) -> Result<Row, String> {
    let bytes = serde_json::to_vec(value).map_err(|_| "not readable as JSON".to_owned())?;
    Ok(Row { number: number as u64 + 1, cells: json::record(&bytes)?, context: None })
}
