//! DNS zones held in memory and signed when the lab starts (RFC 4034, RFC 4035).
//!
//! Pure apart from the keys, which are made anew each time: no private key lies in the source.
//! Answers come with the proofs a validator asks for. Nothing here listens; [`super::dns`] does.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hickory_proto::dnssec::crypto::EcdsaSigningKey;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, NSEC, RRSIG};
use hickory_proto::dnssec::{Algorithm, DigestType, DnssecSigner, PublicKey, SigningKey};
use hickory_proto::rr::rdata::{A, CNAME, MX, NS, SOA, SRV, TXT};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordSet, RecordType};

use super::LabError;

/// Seconds that answers may be kept.
const TTL: u32 = 3600;
/// Signatures hold from 2020 on for thirty years, so that the demo's past dates and the reader's
/// present both lie inside.
const SIGNED_SINCE_YEAR: i32 = 2020;
const SIGNED_FOR: Duration = Duration::from_secs(30 * 365 * 86_400);

/// How a zone is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// Its parent vouches for it (DS), and its signatures do not hold.
    Broken,
    Signed,
    Unsigned,
}

/// A zone as it is written down: names are absolute, with or without the final dot.
#[derive(Clone, Debug)]
pub struct Zone {
    origin: Name,
    signing: Signing,
    sets: Sets,
}

type Sets = BTreeMap<Name, BTreeMap<RecordType, RecordSet>>;

/// The absolute name of a text that the lab itself wrote.
fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).expect("the lab writes its own names");
    name.set_fqdn(true);
    name
}

impl Zone {
    /// An empty zone with its SOA and NS.
    pub fn new(origin: &str, signing: Signing) -> Self {
        let origin = name(origin);
        let server = name("ns.lab-root.example");
        let mut zone = Self { origin: origin.clone(), signing, sets: Sets::new() };
        let soa = SOA::new(server.clone(), name("hostmaster.lab-root.example"), 1, 7200, 3600, 1_209_600, 300);
        zone.add(&origin, RData::SOA(soa));
        zone.add(&origin, RData::NS(NS(server)));
        zone
    }

    fn add(&mut self, owner: &Name, data: RData) {
        let kind = data.record_type();
        let set = self.sets.entry(owner.clone()).or_default().entry(kind);
        set.or_insert_with(|| RecordSet::with_ttl(owner.clone(), kind, TTL)).insert(record(owner, data), 0);
    }

    /// An IPv4 address.
    pub fn a(mut self, owner: &str, address: Ipv4Addr) -> Self {
        self.add(&name(owner), RData::A(A(address)));
        self
    }

    /// An alias.
    pub fn cname(mut self, owner: &str, target: &str) -> Self {
        self.add(&name(owner), RData::CNAME(CNAME(name(target))));
        self
    }

    /// A mail exchanger; the target `.` is the null MX of RFC 7505.
    pub fn mx(mut self, owner: &str, preference: u16, host: &str) -> Self {
        self.add(&name(owner), RData::MX(MX::new(preference, name(host))));
        self
    }

    /// A service (RFC 2782).
    pub fn srv(mut self, owner: &str, port: u16, host: &str) -> Self {
        self.add(&name(owner), RData::SRV(SRV::new(0, 1, port, name(host))));
        self
    }

    /// A text record, cut into strings of at most 255 bytes.
    pub fn txt(mut self, owner: &str, text: &str) -> Self {
        let strings = text.as_bytes().chunks(255).collect();
        self.add(&name(owner), RData::TXT(TXT::from_bytes(strings)));
        self
    }
}

fn record(owner: &Name, data: RData) -> Record {
    Record::from_rdata(owner.clone(), TTL, data)
}

/// What a zone says to a question.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// An alias, and where it leads.
    Alias {
        records: Vec<Record>,
        proof: Vec<Record>,
        target: Name,
    },
    Answer {
        records: Vec<Record>,
        proof: Vec<Record>,
    },
    /// The name exists and has nothing of the kind.
    NoData {
        proof: Vec<Record>,
    },
    /// The name does not exist, and nothing below it (RFC 8020).
    NoName {
        proof: Vec<Record>,
    },
}

/// Every zone, linked from the root down and signed.
#[derive(Debug)]
pub(super) struct Tree {
    zones: Vec<Zone>,
    /// A DNSKEY line of the root's key.
    pub(super) trust_anchor: String,
}

impl Tree {
    /// Links each zone to the one above it and signs all that are to be signed. One of them must
    /// be the root.
    pub(super) fn grow(mut zones: Vec<Zone>) -> Result<Self, LabError> {
        zones.sort_by_key(|zone| zone.origin.num_labels());
        let mut signers = Vec::new();
        for zone in &zones {
            signers.push(if zone.signing == Signing::Unsigned { None } else { Some(new_signer(&zone.origin)?) });
        }
        for child in 1..zones.len() {
            let origin = zones[child].origin.clone();
            let parent = zones[..child]
                .iter()
                .rposition(|zone| zone.origin.zone_of(&origin))
                .expect("the root is the first zone and above all others");
            zones[parent].add(&origin, RData::NS(NS(name("ns.lab-root.example"))));
            if let Some(signer) = &signers[child] {
                zones[parent].add(&origin, RData::DNSSEC(DNSSECRData::DS(ds_of(&origin, signer.dnskey())?)));
            }
        }
        let mut trust_anchor = String::new();
        for (zone, signer) in zones.iter_mut().zip(&signers) {
            let Some(signer) = signer else { continue };
            if zone.origin.is_root() {
                let key = STANDARD.encode(signer.dnskey().public_key().public_bytes());
                trust_anchor = format!(".\t{TTL}\tIN\tDNSKEY\t257 3 {} {key}\n", u8::from(Algorithm::ECDSAP256SHA256));
            }
            zone.sign(signer)?;
        }
        Ok(Self { zones, trust_anchor })
    }

    /// The zone that answers for a name and kind: a DS lies above the cut (RFC 4035 §3.1.4.1).
    pub(super) fn zone_for(&self, owner: &Name, kind: RecordType) -> &Zone {
        let answers = |zone: &&Zone| {
            zone.origin.zone_of(owner) && !(kind == RecordType::DS && zone.origin == *owner && !owner.is_root())
        };
        self.zones.iter().rev().find(answers).expect("the root answers for every name")
    }

    /// What DNSSEC says of a zone: every zone from the root down to it must be signed.
    pub(super) fn signing_of(&self, zone: &Zone) -> Signing {
        let path = || self.zones.iter().filter(|above| above.origin.zone_of(&zone.origin));
        if path().any(|above| above.signing == Signing::Unsigned) {
            Signing::Unsigned
        } else if path().any(|above| above.signing == Signing::Broken) {
            Signing::Broken
        } else {
            Signing::Signed
        }
    }
}

fn new_signer(origin: &Name) -> Result<DnssecSigner, LabError> {
    let pkcs8 = EcdsaSigningKey::generate_pkcs8(Algorithm::ECDSAP256SHA256).map_err(LabError::dns)?;
    let key = EcdsaSigningKey::from_pkcs8(&pkcs8, Algorithm::ECDSAP256SHA256).map_err(LabError::dns)?;
    let dnskey = DNSKEY::from_key(&key.to_public_key().map_err(LabError::dns)?);
    Ok(DnssecSigner::new(dnskey, Box::new(key), origin.clone(), SIGNED_FOR))
}

fn ds_of(origin: &Name, key: &DNSKEY) -> Result<DS, LabError> {
    let digest = key.to_digest(origin, DigestType::SHA256).map_err(LabError::dns)?;
    let tag = key.calculate_key_tag().map_err(LabError::dns)?;
    Ok(DS::new(tag, Algorithm::ECDSAP256SHA256, DigestType::SHA256, digest.as_ref().to_vec()))
}

impl Zone {
    fn sign(&mut self, signer: &DnssecSigner) -> Result<(), LabError> {
        let origin = self.origin.clone();
        self.add(&origin, RData::DNSSEC(DNSSECRData::DNSKEY(signer.dnskey().clone())));
        let owners: Vec<Name> = self.sets.keys().cloned().collect();
        for (place, owner) in owners.iter().enumerate() {
            let next = owners.get(place + 1).unwrap_or(&origin).clone();
            let kinds: Vec<RecordType> = self.sets[owner].keys().copied().collect();
            self.add(owner, RData::DNSSEC(DNSSECRData::NSEC(NSEC::new_cover_self(next, kinds))));
        }
        let since = rcgen::date_time_ymd(SIGNED_SINCE_YEAR, 1, 1);
        for (owner, sets) in &mut self.sets {
            for (kind, set) in sets {
                // The NS of a delegation is not the parent's to sign (RFC 4035 §2.2).
                if *kind == RecordType::NS && *owner != origin {
                    continue;
                }
                let mut signature = RRSIG::from_rrset(set, DNSClass::IN, since, signer).map_err(LabError::dns)?;
                if self.signing == Signing::Broken {
                    let mut bytes = signature.sig().to_vec();
                    bytes.iter_mut().take(8).for_each(|byte| *byte ^= 0x55);
                    signature = RRSIG::from_sig(signature.input().clone(), bytes);
                }
                set.insert_rrsig(record(owner, RData::DNSSEC(DNSSECRData::RRSIG(signature))));
            }
        }
        Ok(())
    }

    /// Answers from this zone alone.
    pub(super) fn say(&self, owner: &Name, kind: RecordType) -> Said {
        if let Some(sets) = self.sets.get(owner) {
            return self.say_of(sets, owner, kind, Vec::new());
        }
        if self.exists(owner) {
            // An empty non-terminal: something lies below it (RFC 4592 §2.2.2).
            return Said::NoData { proof: self.denial(&[owner]) };
        }
        let mut encloser = owner.base_name();
        while !self.exists(&encloser) {
            encloser = encloser.base_name();
        }
        let wildcard = encloser.prepend_label("*").expect("one label more fits the lab's names");
        match self.sets.get(&wildcard) {
            Some(sets) => self.say_of(sets, owner, kind, self.nsec_for(owner)),
            None => Said::NoName { proof: self.denial(&[owner, &wildcard]) },
        }
    }

    fn say_of(
        &self,
        sets: &BTreeMap<RecordType, RecordSet>,
        owner: &Name,
        kind: RecordType,
        proof: Vec<Record>,
    ) -> Said {
        let as_owner = |set: &RecordSet| -> Vec<Record> {
            set.records_with_rrsigs()
                .cloned()
                .map(|mut record| {
                    record.name = owner.clone();
                    record
                })
                .collect()
        };
        if let Some(set) = sets.get(&kind) {
            return Said::Answer { records: as_owner(set), proof };
        }
        let Some(set) = sets.get(&RecordType::CNAME) else {
            return Said::NoData { proof: self.denial(&[owner]) };
        };
        let target = set.records_without_rrsigs().find_map(|record| match &record.data {
            RData::CNAME(target) => Some(target.0.clone()),
            _ => None,
        });
        Said::Alias { records: as_owner(set), proof, target: target.expect("a CNAME set holds a CNAME") }
    }

    fn exists(&self, owner: &Name) -> bool {
        self.sets.range(owner.clone()..).next().is_some_and(|(next, _)| owner.zone_of(next)) || *owner == self.origin
    }

    /// The SOA and the NSEC of, or around, each name, with their signatures (RFC 4035 §3.1.3).
    fn denial(&self, names: &[&Name]) -> Vec<Record> {
        let mut proof: Vec<Record> = self.sets[&self.origin][&RecordType::SOA].records_with_rrsigs().cloned().collect();
        for name in names {
            for record in self.nsec_for(name) {
                if !proof.contains(&record) {
                    proof.push(record);
                }
            }
        }
        proof
    }

    fn nsec_for(&self, owner: &Name) -> Vec<Record> {
        let at_or_before = self.sets.range(..=owner.clone()).next_back();
        at_or_before
            .and_then(|(_, sets)| sets.get(&RecordType::NSEC))
            .map(|set| set.records_with_rrsigs().cloned().collect())
            .unwrap_or_default()
    }
}
