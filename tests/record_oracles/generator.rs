//! Records made by chance from a fixed seed: valid, nearly valid and broken ones.

use mailassay::records::spf_check::LookupFailed;

/// A small generator of numbers (splitmix64): the same seed gives the same records for ever.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    /// True in one of `n` cases.
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn of<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len())]
    }
}

/// The DNS around the generated records: `name TYPE data`; `!fail` is a failed query.
pub(crate) const ZONE: &[(&str, &str, &str)] = &[
    ("c.example", "A", "192.0.2.1"),
    ("c.example", "MX", "mail.c.example"),
    ("mail.c.example", "A", "192.0.2.2"),
    ("mail.c.example", "AAAA", "2001:db8::2"),
    ("a.example", "A", "192.0.2.10"),
    ("a.example", "A", "192.0.2.11"),
    ("a.example", "AAAA", "2001:db8::10"),
    ("a.example", "MX", "mail.c.example"),
    ("a.example", "TXT", "v=spf1 ip4:198.51.100.0/24 -all"),
    ("b.example", "TXT", "v=spf1 a:a.example mx:c.example include:a.example ?all"),
    ("bad.example", "TXT", "v=spf1 ipp4:192.0.2.1 -all"),
    ("_dns_error.example", "A", "!fail"),
    ("_dns_error.example", "MX", "!fail"),
    ("_dns_error.example", "TXT", "!fail"),
    ("loop.example", "TXT", "v=spf1 include:loop.example -all"),
    ("many.example", "TXT", "v=spf1 a:a.example a:c.example mx:a.example mx:c.example a:mail.c.example -all"),
    ("open.example", "TXT", "v=spf1 +all"),
    ("soft.example", "TXT", "v=spf1 ~all"),
    ("other.example", "TXT", "not about mail"),
    ("d2.c.example", "A", "127.0.0.2"),
    ("1.2.0.192.list.example", "A", "127.0.0.2"),
    ("192.0.2.1", "PTR", "c.example"),
    ("192.0.2.2", "PTR", "mail.c.example"),
    ("203.0.113.9", "PTR", "elsewhere.example"),
];

/// Senders that the records are asked about.
pub(crate) const SENDERS: [&str; 6] =
    ["192.0.2.1", "192.0.2.2", "192.0.2.10", "198.51.100.7", "203.0.113.9", "2001:db8::10"];

/// What the zone holds of one name and type.
pub(crate) fn found(name: &str, kind: &str) -> Result<Vec<&'static str>, LookupFailed> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let data: Vec<&str> =
        ZONE.iter().filter(|(owner, of, _)| *owner == name && *of == kind).map(|(_, _, data)| *data).collect();
    if data.contains(&"!fail") { Err(LookupFailed) } else { Ok(data) }
}

const NAMES: &[&str] = &[
    "a.example",
    "b.example",
    "c.example",
    "bad.example",
    "_dns_error.example",
    "loop.example",
    "many.example",
    "open.example",
    "soft.example",
    "other.example",
    "none.example",
    "mail.c.example",
    "d2.c.example",
    "%{d}",
    "d2.%{d}",
    "%{ir}.list.example",
    "%{d2}",
    "%{o}",
    "%{l}.c.example",
    "%{h}",
    "%{s}.c.example",
    "%{dr}.x",
    "a.example.",
    "A.EXAMPLE",
    "%{D}",
    "x%%y.example",
    "a_b.example",
    "%{l1r-}.lp.example",
    "%{v}.example",
];

const BAD_NAMES: &[&str] = &[
    "",
    "example",
    "a..example",
    "a.example,b.example",
    "%{x}.example",
    "%{d0}.example",
    "%d.example",
    "%{d",
    "-",
    "1.2.3.4",
    "a.example:25",
    "%{i99r}.example",
    "%{d!}.example",
    "a.b.123",
    "\u{e4}.example",
    "a.example/",
    "a.1x",
    "a.-x",
    "a.example..",
    "%{c}.example",
    "%{r}.example",
    "%{t}.example",
    "a.%",
    "a.example%_",
];

fn name(chance: &mut Chance) -> &'static str {
    if chance.one_in(12) { chance.of(BAD_NAMES) } else { chance.of(NAMES) }
}

fn term(chance: &mut Chance) -> String {
    let odd = chance.one_in(30);
    let qualifier = chance.of(if odd { &["--", "!", "+-"] } else { &["", "", "", "", "+", "-", "~", "?"] });
    let prefix = |chance: &mut Chance| {
        chance.of(&[
            "", "", "", "", "/24", "/32", "/0", "/8", "//64", "/24//64", "//0", "/33", "/024", "/", "//", "/24/64",
            "//129", "/-1", "/x", "/00", "/24//", "///64",
        ])
    };
    let mechanism = match chance.below(16) {
        0 | 1 => "all".to_owned(),
        2 => format!("a{}", prefix(chance)),
        3 => format!("a:{}{}", name(chance), prefix(chance)),
        4 => format!("mx{}", prefix(chance)),
        5 => format!("mx:{}{}", name(chance), prefix(chance)),
        6 | 7 => format!("include:{}", name(chance)),
        8 => format!("exists:{}", name(chance)),
        9 => chance.of(&["ptr", "ptr:c.example", "ptr:elsewhere.example", "ptr:", "ptr/24"]).to_owned(),
        10 | 11 => format!(
            "ip4:{}{}",
            chance.of(&[
                "192.0.2.0",
                "192.0.2.1",
                "198.51.100.7",
                "203.0.113.0",
                "192.0.2",
                "192.0.2.256",
                "192.0.2.01",
                "0.0.0.0",
                "2001:db8::1",
                "192.0.2.1.",
                "",
                "a.example",
            ]),
            chance.of(&["", "", "", "/24", "/24", "/0", "/32", "/33", "/08", "/", "//24", "/24//64"])
        ),
        12 => format!(
            "ip6:{}{}",
            chance.of(&[
                "2001:db8::",
                "2001:db8::10",
                "::",
                "2001:db8",
                "192.0.2.1",
                "::ffff:192.0.2.1",
                "",
                "2001:DB8::1",
                "1::2::3",
                "[::1]",
                "fe80::1%lo"
            ]),
            chance.of(&["", "", "/32", "/64", "/0", "/128", "/129", "/064", "/"])
        ),
        13 => return format!("redirect={}", name(chance)),
        14 => {
            return chance
                .of(&[
                    "exp=exp.example",
                    "exp=%{d}",
                    "exp=",
                    "vendor=x",
                    "x-y.z=%{d}",
                    "1x=2",
                    "moo",
                    "v=spf1",
                    "=x",
                    "match_subdomains=yes",
                    "redirect:a.example",
                    "x=%",
                    "x=%{z}",
                    "all=1",
                    "include=a.example",
                    "ip4=192.0.2.1",
                    "a=b.example",
                ])
                .to_owned();
        }
        _ => chance
            .of(&[
                "ALL",
                "A",
                "Mx",
                "iP4:192.0.2.1",
                "INCLUDE:a.example",
                "all:",
                "all/8",
                "a:",
                "ipv4:192.0.2.1",
                "ip:192.0.2.1",
                "al",
                "alll",
                "include",
                "exists",
                "ip4",
                "\u{200b}all",
                "+",
                "a:c.example:25",
            ])
            .to_owned(),
    };
    format!("{qualifier}{mechanism}")
}

/// Changes one character.
fn spoil(chance: &mut Chance, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let at = chance.below(characters.len().max(1));
    let other = *["x", ";", " ", "/", ":", "=", "%", ".", "\"", "\t", "0", "{", "é", "\u{1b}", "+", "-"]
        .map(|c| c.chars().next().unwrap())
        .get(chance.below(16))
        .unwrap();
    if characters.is_empty() {
        return other.to_string();
    }
    match chance.below(4) {
        0 => characters[at] = other,
        1 => characters.insert(at, other),
        2 => drop(characters.remove(at)),
        _ => {
            characters[at] = if characters[at].is_ascii_lowercase() {
                characters[at].to_ascii_uppercase()
            } else {
                characters[at].to_ascii_lowercase()
            }
        }
    }
    characters.into_iter().collect()
}

/// An SPF record.
pub(crate) fn spf(chance: &mut Chance) -> String {
    let version = "v=spf1";
    let version = if chance.one_in(25) {
        chance.of(&["V=SPF1", "v=spf10", "v=spf2", "spf1", " v=spf1", "v=spf1;", "v= spf1", "v=Spf1"])
    } else {
        version
    };
    let mut record = version.to_owned();
    for _ in 0..chance.below(6) {
        record.push_str(if chance.one_in(15) { "  " } else { " " });
        record.push_str(&term(chance));
    }
    if !chance.one_in(4) {
        record.push_str(chance.of(&[" -all", " ~all", " ?all", " +all", " -all "]));
    }
    if chance.one_in(8) { spoil(chance, &record) } else { record }
}

/// A DMARC record.
pub(crate) fn dmarc(chance: &mut Chance) -> String {
    let mut tags = vec![if chance.one_in(12) {
        chance
            .of(&[
                "V=DMARC1",
                "v=dmarc1",
                "v = DMARC1",
                "v=DMARC2",
                "v=DMARC1 x",
                "DMARC1",
                " v=DMARC1",
                "v=DMARC10",
                "v\t=\tDMARC1",
            ])
            .to_owned()
    } else {
        "v=DMARC1".to_owned()
    }];
    for _ in 0..1 + chance.below(6) {
        let tag = chance.of(&[
            "p", "p", "p", "sp", "np", "t", "psd", "pct", "rua", "rua", "ruf", "adkim", "aspf", "fo", "rf", "ri", "x",
            "P", "SP",
        ]);
        let again = tags.iter().any(|given| given.get(..tag.len()).is_some_and(|name| name.eq_ignore_ascii_case(tag)));
        if again && !chance.one_in(20) {
            continue;
        }
        let value = match tag.to_ascii_lowercase().as_str() {
            "p" | "sp" | "np" if !chance.one_in(10) => chance.of(&["none", "quarantine", "reject", "Reject", "NONE"]),
            "p" | "sp" | "np" => chance.of(&["", "rejected", "block", "none none", "q", "reject.", "monitor"]),
            "t" => chance.of(&["y", "n", "Y", "yes", ""]),
            "psd" => chance.of(&["y", "n", "u", "Y", "x"]),
            "rua" | "ruf" if !chance.one_in(6) => chance.of(&[
                "mailto:d@c.example",
                "mailto:d@c.example,mailto:e@x.example",
                "mailto:d@c.example!10m",
                "MAILTO:d@C.example",
                " mailto:d@c.example , mailto:f@c.example ",
            ]),
            "rua" | "ruf" => chance.of(&[
                "d@c.example",
                "https://c.example/x",
                "mailto:",
                "mailto:d",
                "mailto:d@",
                "",
                ",",
                "mailto:d@c.example,",
                "mailto:d@localhost",
                "mailto: d@c.example",
                "mailto:d@c.example;",
                "mailto:a%2Cb@c.example",
                "mailto:d@c.example?subject=x",
            ]),
            "pct" => chance.of(&["100", "50", "0", "101", "x", "-1", ""]),
            "adkim" | "aspf" => chance.of(&["r", "s", "R", "x", ""]),
            "fo" => chance.of(&["0", "1", "d", "s", "d:s", "1:d:s", "2", ""]),
            _ => chance.of(&["1", "x", "afrf", "86400", ""]),
        };
        tags.push(match chance.below(20) {
            0 => format!("{tag} = {value}"),
            1 => format!("{tag}{value}"),
            _ => format!("{tag}={value}"),
        });
    }
    if chance.one_in(25) {
        let at = chance.below(tags.len());
        tags.swap(0, at);
    }
    let mut record = tags.join(chance.of(&["; ", "; ", ";", " ; ", "; ", ";\t", ",", "; ;"]));
    if chance.one_in(3) {
        record.push(';');
    }
    if chance.one_in(10) { spoil(chance, &record) } else { record }
}

/// A DKIM key record. `keys` holds Base64 of keys that are whole.
pub(crate) fn dkim(chance: &mut Chance, keys: &[(&'static str, String)]) -> String {
    let mut tags: Vec<String> = Vec::new();
    if !chance.one_in(4) {
        tags.push(
            if chance.one_in(10) {
                chance.of(&["v=DKIM2", "v=dkim1", "v = DKIM1", "V=DKIM1", "v=DKIM1 1"])
            } else {
                "v=DKIM1"
            }
            .to_owned(),
        );
    }
    let (kind, key) = &keys[chance.below(keys.len())];
    if *kind != "rsa" || chance.one_in(2) {
        tags.push(format!(
            "k={}",
            if chance.one_in(12) {
                chance.of(&["dsa", "RSA", "", "ed25519", "rsa ", "rsa:x", "Ed25519"])
            } else {
                kind
            }
        ));
    }
    for _ in 0..chance.below(4) {
        let tag = chance.of(&[
            "t=y",
            "t=s",
            "t=y:s",
            "t=s:y",
            "t=Y",
            "t=",
            "t=x:y",
            "h=sha256",
            "h=sha1",
            "h=sha1:sha256",
            "h=sha3",
            "h=",
            "h=SHA256",
            "s=email",
            "s=*",
            "s=tlsrpt",
            "s=email:x",
            "s=",
            "n=notes here",
            "g=*",
            "x=1",
            "n=a;b",
            "t = y",
            "T=y",
            "K=dsa",
        ]);
        if tags.iter().any(|given| given.starts_with(&tag[..1])) && !chance.one_in(20) {
            continue;
        }
        tags.push(tag.to_owned());
    }
    let key = match chance.below(16) {
        0 => String::new(),
        1 => key.chars().take(key.len() / 2).collect(),
        2 => key.replace('A', "A A"),
        3 => key.trim_end_matches('=').to_owned(),
        4 => key.replace('/', "_"),
        5 => format!("{key}="),
        6 => format!("\"{key}\""),
        7 => key.replacen('B', "!", 1),
        _ => key.clone(),
    };
    if !chance.one_in(20) {
        let at = chance.below(tags.len() + 1);
        let at = if chance.one_in(3) { at } else { tags.len() };
        tags.insert(at, format!("p={key}"));
    }
    let mut record = tags.join(chance.of(&["; ", "; ", ";", " ; ", "; ", "; ", ";; "]));
    if chance.one_in(3) {
        record.push(';');
    }
    if chance.one_in(12) { spoil(chance, &record) } else { record }
}
