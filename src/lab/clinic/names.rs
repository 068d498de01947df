//! The DNS of the Maple Street Clinic, its parked domain, its partners, and the few names of
//! vendors that its records lead to. Everything is invented, the vendors' records too.

use std::net::Ipv4Addr;

use super::Quarter;
use crate::lab::zones::{Signing, Zone};

/// Made once for the lab; the private halves were thrown away.
const DKIM_1024: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDa01UrRXosYLIzBxSKbFA55DBc7DufMp3JQCjP12f89a2XFvD4cb2mBnjaKDE5bZ/NhA/98QAoBGpnQbDcJYXUaMSAFsqWtX7fqBkBQ4WGivgz7F1kvRFhPoOXZHT2Z3CwZoQzZhtxrazlwoZ7UqZSnDBW0G51Pij5EcWYPSB/yQIDAQAB";
const DKIM_2048: &str = "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvWQz7wxg1PRg3HB33WemwI2Jqa6g1WfwjlcMTaN8OKHoFfsvIkq/ri1V7O2OwzEb23cA3mYFXvqPLf86pSKStb+Y7KTb7/ibUS2Gt8944ytozPt26g/9BwH9H67KClQMA91fJlAimvf07VbT7VrUTHW9DRsSw+zn4rANrpnQb9bleJFQLElEVW5S9gb/erRiXj9Eg5LTdjRQfV1+vqeZPRnOpaJoGkREztaCg3HudesBZg1IZ14WqZLqID6i7F9cMBDZc/oLcMbZvJ7Y3yg/i0Oos96uJ/wUP719yDi9BINwDoU1vHbtzGCM30S6z++P4chKQbqDHWchKwmkVo4a0QIDAQAB";

/// The addresses of the clinic's hosts. They are loopback, so that nothing can go astray.
fn host(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 53, number)
}

/// Every zone of the quarter.
pub(super) fn zones(quarter: Quarter) -> Vec<Zone> {
    vec![
        Zone::new(".", Signing::Signed),
        Zone::new("example", Signing::Signed).a("ns.lab-root.example", host(53)),
        Zone::new("com", Signing::Unsigned)
            .txt("spf.protection.outlook.com", "v=spf1 ip4:198.51.100.0/26 -all")
            .txt("mail.zendesk.com", "v=spf1 ip4:198.51.100.64/26 include:more.zendesk.com ~all")
            .txt("more.zendesk.com", "v=spf1 ip4:198.51.100.128/27 ~all")
            .a("autodiscover.outlook.com", Ipv4Addr::new(198, 51, 100, 1))
            .txt("selector1-clinic-example._domainkey.mapleclinic.onmicrosoft.com", DKIM_2048),
        Zone::new("net", Signing::Unsigned).txt("servers.mcsv.net", "v=spf1 ip4:198.51.100.160/27 ?all"),
        clinic(quarter),
        Zone::new("maplestreet.example", Signing::Signed)
            .mx("maplestreet.example", 0, ".")
            .txt("maplestreet.example", "v=spf1 -all")
            .txt("_dmarc.maplestreet.example", "v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s"),
        Zone::new("lab.example", Signing::Unsigned)
            .mx("lab.example", 10, "mx.lab.example")
            .a("mx.lab.example", host(20))
            .txt("lab.example", "v=spf1 mx -all")
            .txt("_dmarc.lab.example", "v=DMARC1; p=none"),
        Zone::new("hospital.example", Signing::Signed)
            .mx("hospital.example", 10, "mx.hospital.example")
            .a("mx.hospital.example", host(21))
            .a("mta-sts.hospital.example", host(22))
            .txt("hospital.example", "v=spf1 mx -all")
            .txt("_dmarc.hospital.example", "v=DMARC1; p=reject; rua=mailto:dmarc@hospital.example")
            .txt("_mta-sts.hospital.example", "v=STSv1; id=20260101T000000"),
    ]
}

fn clinic(quarter: Quarter) -> Zone {
    let zone = Zone::new("clinic.example", Signing::Signed)
        .mx("clinic.example", 10, "mx1.clinic.example")
        .mx("clinic.example", 20, "mx2.clinic.example")
        .mx("clinic.example", 90, "fallback.clinic.example")
        .a("mx1.clinic.example", host(1))
        .a("mx2.clinic.example", host(2))
        .a("fallback.clinic.example", host(3))
        .a("smtp.clinic.example", host(4))
        .a("imap.clinic.example", host(5))
        .a("portal.clinic.example", host(7))
        .a("mta-sts.clinic.example", host(8))
        .a("web.clinic.example", host(9))
        .a("scanner.clinic.example", host(10))
        // Twelve terms that ask DNS, over the whole tree; RFC 7208 §4.6.4 allows ten.
        .txt(
            "clinic.example",
            "v=spf1 mx include:spf.protection.outlook.com include:mail.zendesk.com include:servers.mcsv.net \
             include:_spf.clinic.example a:web.clinic.example -all",
        )
        .txt("clinic.example", "MS=ms00000001")
        .txt(
            "_spf.clinic.example",
            "v=spf1 include:_spf1.clinic.example include:_spf2.clinic.example a:scanner.clinic.example -all",
        )
        .txt("_spf1.clinic.example", "v=spf1 a:portal.clinic.example -all")
        .txt("_spf2.clinic.example", "v=spf1 mx ip4:192.0.2.0/28 -all")
        .txt("s1._domainkey.clinic.example", DKIM_1024)
        .cname("selector1._domainkey.clinic.example", "selector1-clinic-example._domainkey.mapleclinic.onmicrosoft.com")
        .txt("_dmarc.clinic.example", dmarc(quarter))
        .txt("_mta-sts.clinic.example", "v=STSv1; id=20260115T080000")
        .txt("_smtp._tls.clinic.example", "v=TLSRPTv1; rua=mailto:tls-reports@clinic.example")
        .cname("autodiscover.clinic.example", "autodiscover.outlook.com")
        .srv("_imaps._tcp.clinic.example", 993, "imap.clinic.example")
        .srv("_submission._tcp.clinic.example", 587, "smtp.clinic.example");
    match quarter {
        Quarter::Second => zone,
        Quarter::Third => zone.a("oldmail.clinic.example", host(6)),
    }
}

fn dmarc(quarter: Quarter) -> &'static str {
    match quarter {
        Quarter::Second => "v=DMARC1; p=none; rua=mailto:dmarc-reports@clinic.example",
        Quarter::Third => "v=DMARC1; p=quarantine; rua=mailto:dmarc-reports@clinic.example",
    }
}
