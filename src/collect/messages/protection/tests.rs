//! Files that real programs protected (`fixtures/protected-files`, see its README), as attachments.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;

use super::super::attachments::{self, Content};
use super::super::containers::Inside;
use super::super::pdf::PdfReader;
use super::super::tests::{folders, mbox_of, options, scan_with};
use super::*;

mod partly_read;

/// Each file, why it is counted as not looked into, and how it is told to be protected.
const FILES: [(&str, &[&str], &[&str]); 42] = [
    ("7z-many-names.7z", &["archive"], &["7z-aes-256"]),
    ("7z-names.7z", &["archive"], &["7z-aes-256"]),
    ("7z-one-file.7z", &["archive"], &["7z-aes-256"]),
    ("7z-open.7z", &["archive"], &[]),
    ("7z-packed-header.7z", &["archive"], &["7z-aes-256"]),
    ("office-agile.docx", &["encrypted"], &["office-agile-aes-256"]),
    ("office-rc4.doc", &["legacy-office"], &["office-rc4-40"]),
    ("office-rc4.xls", &["legacy-office"], &["office-rc4-40"]),
    ("office-standard.xlsx", &["encrypted"], &["office-standard-aes-128"]),
    ("opendocument-aes-256.ods", &["encrypted"], &["opendocument-aes-256"]),
    ("opendocument-blowfish.ods", &["encrypted"], &["opendocument-blowfish"]),
    ("openpgp-3des.asc", &["encrypted"], &["openpgp-passphrase-3des"]),
    ("openpgp-both.gpg", &["unknown-format"], &["openpgp-passphrase-unknown"]),
    ("openpgp-key.asc", &["encrypted"], &["openpgp"]),
    ("openpgp-key.gpg", &["unknown-format"], &["openpgp"]),
    ("openpgp-passphrase.gpg", &["unknown-format"], &["openpgp-passphrase-aes-256"]),
    ("openpgp-signed.asc", &["signed-wrapped"], &[]),
    ("pdf-aes-128.pdf", &["encrypted"], &["pdf-aes-128"]),
    ("pdf-aes-256-object-streams.pdf", &["encrypted"], &["pdf-aes-256"]),
    ("pdf-aes-256.pdf", &["encrypted"], &["pdf-aes-256"]),
    ("pdf-owner-only.pdf", &["encrypted"], &["pdf-aes-256"]),
    ("pdf-r5-aes-256.pdf", &["encrypted"], &["pdf-r5-aes-256"]),
    ("pdf-rc4-128-v4.pdf", &["encrypted"], &["pdf-rc4-128"]),
    ("pdf-rc4-128.pdf", &["encrypted"], &["pdf-rc4-128"]),
    ("pdf-rc4-40.pdf", &["encrypted"], &["pdf-rc4-40"]),
    ("smime-3des.p7m", &["encrypted"], &["smime-3des"]),
    ("smime-aes-128.p7m", &["encrypted"], &["smime-aes-128"]),
    ("smime-aes-192.p7m", &["encrypted"], &["smime-aes-192"]),
    ("smime-aes-256-gcm.p7m", &["encrypted"], &["smime-aes-256"]),
    ("smime-aes-256.p7m", &["encrypted"], &["smime-aes-256"]),
    ("smime-des.p7m", &["encrypted"], &["smime-des"]),
    ("smime-password.p7m", &["encrypted"], &["smime-password-aes-256"]),
    ("smime-rc2.p7m", &["encrypted"], &["smime-rc2"]),
    ("smime-signed.p7m", &["signed-wrapped"], &[]),
    ("smime-streamed.p7m", &["encrypted"], &["smime-aes-256"]),
    ("zip-aes-128.zip", &["encrypted"], &["zip-aes-128"]),
    ("zip-aes-192.zip", &["encrypted"], &["zip-aes-192"]),
    ("zip-aes-256.zip", &["encrypted"], &["zip-aes-256"]),
    ("zip-some-open.zip", &["encrypted"], &["zip-zipcrypto"]),
    ("zip-within-zip.zip", &["encrypted"], &["zip-aes-256"]),
    ("zip-zipcrypto.zip", &["encrypted"], &["zip-zipcrypto"]),
    ("README.md", &[], &[]),
];

fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/protected-files").join(name)).unwrap()
}

/// What an attachment of this name is counted and told as.
fn told(bytes: &[u8], name: &str) -> (Vec<&'static str>, Vec<String>) {
    let kind = if name.ends_with(".p7m") { "application/pkcs7-mime" } else { "application/octet-stream" };
    told_by(&PdfReader::none(), bytes, kind, name)
}

fn told_by(reader: &PdfReader, bytes: &[u8], kind: &str, name: &str) -> (Vec<&'static str>, Vec<String>) {
    let mut inside = Inside::message(reader);
    let why = match attachments::read(bytes, kind, Some(name), false, &mut inside) {
        Content::NotInspected(why) => vec![why],
        Content::Several { not_inspected, .. } => not_inspected,
        Content::Image { .. }
        | Content::Invite(_)
        | Content::Message(_)
        | Content::NothingToRead
        | Content::Text(_) => Vec::new(),
    };
    (why, inside.protected.iter().map(ToString::to_string).collect())
}

#[test]
fn files_of_real_programs_are_told_by_their_cipher() {
    for (name, why, words) in FILES {
        let (counted, protected) = told(&file(name), name);
        assert_eq!(counted, why, "{name}");
        assert_eq!(protected, words, "{name}");
    }
    let kept = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/protected-files")).unwrap();
    let kept: BTreeSet<String> = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(kept, FILES.iter().map(|(name, _, _)| (*name).to_owned()).collect());
}

#[test]
fn what_lies_open_beside_a_protected_member_is_read() {
    let reader = PdfReader::none();
    let mut inside = Inside::message(&reader);
    let content = attachments::read(&file("zip-some-open.zip"), "", None, false, &mut inside);
    let Content::Several { texts, not_inspected } = content else { panic!() };
    assert_eq!(texts, ["other.txt\nsecond invented note, about nobody\n"]);
    assert_eq!(not_inspected, ["encrypted"]);
    assert_eq!(inside.protected, Protections::from([Protection::Zip(Cipher::ZipCrypto)]));
}

/// A message with these files of ours attached, each by its type.
fn message(files: &[(&str, &str)]) -> String {
    use base64::Engine as _;
    let part = |(kind, name): &(&str, &str)| {
        let bytes = base64::engine::general_purpose::STANDARD.encode(file(name));
        format!(
            "--b\nContent-Type: {kind}\nContent-Disposition: attachment; filename=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{bytes}\n"
        )
    };
    let parts: String = files.iter().map(part).collect();
    format!(
        "From: a@clinic.example\nTo: b@lab.example\nSubject: invented\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n"
    )
}

#[test]
fn a_folder_counts_messages_by_each_way_their_attachments_are_protected() {
    let any = "application/octet-stream";
    let armour = String::from_utf8(file("openpgp-3des.asc")).unwrap();
    let scan = scan_with(
        mbox_of(&[
            message(&[(any, "zip-zipcrypto.zip"), (any, "zip-some-open.zip"), (any, "pdf-aes-256.pdf")]),
            message(&[("application/zip", "zip-zipcrypto.zip")]),
            message(&[("application/pkcs7-mime; smime-type=enveloped-data", "smime-3des.p7m")]),
            format!("From: a@clinic.example\nSubject: invented\n\n{armour}"),
            message(&[(any, "openpgp-key.asc")]),
            message(&[("text/plain", "README.md"), (any, "7z-open.7z")]),
        ]),
        &options(),
    );
    let folder = &folders(&scan)[0];
    let told: Vec<(&str, u64)> = folder.protected.iter().map(|(word, count)| (word.as_str(), *count)).collect();
    let expected =
        [("openpgp", 1), ("openpgp-passphrase-3des", 1), ("pdf-aes-256", 1), ("smime-3des", 1), ("zip-zipcrypto", 2)];
    assert_eq!(told, expected);
    assert_eq!((folder.not_inspected["encrypted"], folder.not_inspected["archive"]), (5, 1));
}

#[test]
fn a_file_that_only_holds_the_name_of_a_protected_one_is_not_taken_for_it() {
    let mut compound = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::io::Write::write_all(&mut compound.create_stream("/Attachment").unwrap(), &name).unwrap();
    let bytes = compound.into_inner().into_inner();
    assert_eq!(told(&bytes, "a.doc"), (vec!["legacy-office"], Vec::new()));
    // A protected one that was cut off is still counted as such.
    let cut = &file("office-agile.docx")[..5000];
    assert_eq!(told(cut, "a.docx"), (vec!["encrypted"], vec!["office-unknown".to_owned()]));
}

#[test]
fn files_that_are_cut_off_or_damaged_stop_nothing_and_give_only_known_words() {
    let known = |words: &[String], name: &str| {
        for word in words {
            let is_unclear =
                ["7z-unread", "openpgp", "rar-unread"].contains(&word.as_str()) || word.ends_with("-unknown");
            assert_eq!(strength(word) == Strength::Unclear, is_unclear, "{name}: {word}");
        }
    };
    for (name, _, _) in FILES {
        let whole = file(name);
        // All of what is small, some of what is not.
        let step = 1 + whole.len() / 300;
        for at in (0..whole.len()).step_by(step) {
            known(&told(&whole[..at], name).1, name);
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= change;
                known(&told(&damaged, name).1, name);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_bytes_behind_any_beginning_stop_nothing(
        beginning in prop::sample::select(vec![
            &b"7z\xbc\xaf\x27\x1c\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0\x17\x06"[..],
            b"7z\xbc\xaf\x27\x1c\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0\x01\x04\x06",
            b"Rar!\x1a\x07\x00",
            b"Rar!\x1a\x07\x01\x00",
            b"%PDF-1.7 /Encrypt <<",
            b"PK\x03\x04",
            b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80\x30\x80",
            b"\x8c",
            b"",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let bytes = [beginning, &bytes[..]].concat();
        for name in ["a.p7m", "a.gpg", "a.doc"] {
            told(&bytes, name);
        }
        enveloped(&bytes);
        packets(&bytes);
        members(&bytes, 0);
        lzma::unpack(&[0x5d, 0, 0, 1, 0], &bytes, 10_000);
    }
}

#[test]
fn every_word_is_weighed_as_its_cipher() {
    let mut words = BTreeSet::new();
    for kind in Protection::KINDS {
        for cipher in Cipher::ALL.into_iter().chain([Cipher::Rc4(Some(40)), Cipher::Rc4(Some(128))]) {
            let word = kind(cipher).to_string();
            assert_eq!(strength(&word), cipher.strength(), "{word}");
            words.insert(word);
        }
    }
    assert_eq!(words.len(), Protection::KINDS.len() * 18);
    for word in [
        "",
        "7z-unread",
        "openpgp",
        "rar-unread",
        "zip",
        "zip-",
        "zip-aes-512",
        "tar-aes-256",
        "aes-256",
        "zip-rc4-many",
    ] {
        assert_eq!(strength(word), Strength::Unclear, "{word}");
    }
}

/// A zip member's headers as PKWARE's programs write them, which nothing here can: the flags, method and extra field.
fn zip_member(flags: u16, method: u16, extra: &[u8]) -> Option<String> {
    let mut header = b"PK\x01\x02\0\0\0\0".to_vec();
    header.extend(flags.to_le_bytes());
    header.extend(method.to_le_bytes());
    header.resize(28, 0);
    header.extend(1_u16.to_le_bytes());
    header.extend(u16::try_from(extra.len()).unwrap().to_le_bytes());
    header.resize(46, 0);
    header.push(b'a');
    header.extend(extra);
    let found = members(&header, 0);
    assert!(found.len() < 2);
    found.first().map(ToString::to_string)
}

#[test]
fn the_ways_of_zip_are_told_apart() {
    let strong = |number: u16, bits: u16| {
        let mut field = vec![0x17, 0, 8, 0, 2, 0];
        field.extend(number.to_le_bytes());
        field.extend(bits.to_le_bytes());
        field.extend([1, 0]);
        // Behind a field of times.
        zip_member(0x41, 8, &[&[0x55, 0x54, 1, 0, 3], &field[..]].concat())
    };
    assert_eq!(strong(0x6610, 256).as_deref(), Some("zip-pkware-aes-256"));
    assert_eq!(strong(0x6603, 168).as_deref(), Some("zip-pkware-3des"));
    assert_eq!(strong(0x6801, 40).as_deref(), Some("zip-pkware-rc4-40"));
    assert_eq!(strong(0xffff, 0).as_deref(), Some("zip-pkware-unknown"));
    assert_eq!(zip_member(0x41, 8, &[]).as_deref(), Some("zip-pkware-unknown"));
    assert_eq!(zip_member(1, 99, &[]).as_deref(), Some("zip-unknown"));
    assert_eq!(zip_member(1, 99, &[1, 0x99, 7, 0, 2, 0, b'A', b'E', 9, 8, 0]).as_deref(), Some("zip-unknown"));
    // An extra field that its method does not go with says nothing.
    assert_eq!(zip_member(1, 8, &[1, 0x99, 7, 0, 2, 0, b'A', b'E', 3, 8, 0]).as_deref(), Some("zip-zipcrypto"));
    assert_eq!(zip_member(0, 99, &[1, 0x99, 7, 0, 2, 0, b'A', b'E', 3, 8, 0]), None);
    // So many fields as no program writes are not read.
    let behind = |fields: usize| [&[0; 4].repeat(fields)[..], &[1, 0x99, 7, 0, 2, 0, b'A', b'E', 3, 8, 0]].concat();
    assert_eq!(zip_member(1, 99, &behind(10)).as_deref(), Some("zip-aes-256"));
    assert_eq!(zip_member(1, 99, &behind(1000)).as_deref(), Some("zip-unknown"));
}

#[test]
fn dictionaries_of_pdf_are_read_as_the_standard_has_them() {
    let of_bytes = |bytes: &[u8]| dictionary(bytes).unwrap().to_string();
    let of = |entries: &str| {
        let bytes =
            format!("%PDF-1.7\n12 0 obj <</V 1>> endobj\n2 0 obj\n<<{entries}>>\nendobj\ntrailer <</Encrypt 2 0 R>>");
        of_bytes(bytes.as_bytes())
    };
    assert_eq!(of("/Filter/Standard/V 1/R 2/O(\\)/V 5 \\()/U<3e3e>"), "pdf-rc4-40");
    assert_eq!(of("/Filter/Standard/V 2/R 3"), "pdf-rc4-40");
    assert_eq!(of("/Filter/Standard/V 2/R 3/Length 56"), "pdf-rc4-56");
    assert_eq!(of("/Filter/Standard/V 3/R 3"), "pdf-unknown");
    assert_eq!(of("/Filter/Adobe.PubSec/V 2/Length 128/Recipients[(a)<00>]"), "pdf-public-key-rc4-128");
    let filters = |streams: &str| {
        format!(
            "/Filter/Adobe.PubSec % a remark\n/V 5/CF<</D<</CFM/AESV3/Length 256>>/S<</CFM/V2/Length 5>>>>{streams}"
        )
    };
    assert_eq!(of(&filters("/StmF/D/StrF/D")), "pdf-public-key-aes-256");
    assert_eq!(of(&filters("/StmF/D/StrF/S")), "pdf-public-key-rc4-40");
    // Only the attached files are protected.
    assert_eq!(of(&filters("/StmF/Identity/StrF/Identity/EFF/D")), "pdf-public-key-aes-256");
    assert_eq!(of(&filters("/StmF/Other")), "pdf-public-key-unknown");
    // Streams or strings lie open; where nothing is named they do (§7.6.6).
    assert_eq!(of(&filters("/StmF/Identity/StrF/D")), "pdf-public-key-unknown");
    assert_eq!(of(&filters("/StmF/Identity/StrF/D/EFF/D")), "pdf-public-key-unknown");
    assert_eq!(of(&filters("/StrF/D")), "pdf-public-key-unknown");
    assert_eq!(of(&filters("/StmF/D")), "pdf-public-key-unknown");
    assert_eq!(of(&filters("/StrF/S")), "pdf-public-key-rc4-40");
    assert_eq!(of(&filters("/StmF/D/StrF/D/EFF/Identity")), "pdf-public-key-unknown");
    assert_eq!(of("/Filter/Standard/CF<<".repeat(200).as_str()), "pdf-unknown");
    assert_eq!(
        of_bytes(b"/Encrypt <</Filter /Standard /V 5 /R 6 /CF <</StdCF <</CFM /AESV3>>>> /StmF /StdCF /StrF /StdCF>>"),
        "pdf-aes-256"
    );
    // A remark behind the end names another.
    let remark = b"\n% /Encrypt <</Filter/Standard/V 5/R 6/CF<</C<</CFM/AESV3>>>>/StmF/C/StrF/C>>\n";
    assert_eq!(of_bytes(&[file("pdf-rc4-40.pdf"), remark.to_vec()].concat()), "pdf-rc4-40");
    assert_eq!(of_bytes(&[file("pdf-aes-256.pdf"), b"\n% /Encrypt 99 0 R".to_vec()].concat()), "pdf-aes-256");
    assert_eq!(of_bytes(b"/Encrypt 9 0 R /EncryptMetadata false"), "pdf-unknown");
    assert_eq!(dictionary(b"%PDF-1.7 <</EncryptMetadata false>>"), None);
    let longer: String = (1..40).map(|number| format!("{number}2 0 obj <</A 1>> endobj\n")).collect();
    let bytes = format!("2 0 obj<</Filter/Standard/V 1/R 2>>endobj\n{longer}trailer<</Encrypt 2 0 R>>");
    assert_eq!(of_bytes(bytes.as_bytes()), "pdf-rc4-40");
}

/// Archives of RAR as its technote has them: no program that writes them can be had freely.
#[test]
fn archives_of_rar_are_told_by_their_headers() {
    let rar5 = |blocks: &[&[u8]]| {
        let blocks = blocks.iter().map(|block| [&[0; 4], &[u8::try_from(block.len()).unwrap()][..], block].concat());
        let bytes = [&b"Rar!\x1a\x07\x01\x00"[..], &blocks.collect::<Vec<_>>().concat()].concat();
        told(&bytes, "a.rar")
    };
    let archive = vec!["archive"];
    // The names as well.
    assert_eq!(rar5(&[&[4, 0, 0, 0, 15]]), (archive.clone(), vec!["rar-aes-256".to_owned()]));
    let main: &[u8] = &[1, 0, 0];
    // A file with a record of its encryption, behind one of its time.
    let sealed: &[u8] = &[2, 1, 9, 0xaa, 0xbb, 3, 3, 0, 0, 4, 1, 0, 0, 15];
    assert_eq!(rar5(&[main, sealed]), (archive.clone(), vec!["rar-aes-256".to_owned()]));
    let open: &[u8] = &[2, 1, 4, 0xaa, 0xbb, 3, 3, 0, 0];
    let end: &[u8] = &[5, 0, 0];
    assert_eq!(rar5(&[main, open, end]), (archive.clone(), Vec::new()));
    assert_eq!(rar5(&[main, open, end, sealed]), (archive.clone(), Vec::new()));
    // What was not read to its end may be protected further on.
    let unread = (archive.clone(), vec!["rar-unread".to_owned()]);
    let open_of_many_bytes: &[u8] = &[2, 2, 100, 3, 3, 0, 0];
    for blocks in [&[][..], &[main, open], &[main, open_of_many_bytes, sealed, end], &[&[1, 1], sealed, end]] {
        assert_eq!(rar5(blocks), unread);
    }
    let rar4 = |flags: u8, version: u8| {
        let mut block = vec![0, 0, 0x74, flags, 0x80, 32, 0];
        block.resize(24, 0);
        block.extend([version, 0x30]);
        block.resize(32, 0);
        let main = [0, 0, 0x73, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0];
        told(&[&b"Rar!\x1a\x07\x00"[..], &main, &block].concat(), "a.rar").1
    };
    assert_eq!(rar4(4, 29), ["rar-aes-128"]);
    assert_eq!(rar4(4, 20), ["rar-unknown"]);
    assert!(rar4(0, 29).is_empty());
    let rar4_of = |block: &[u8]| told(&[&b"Rar!\x1a\x07\x00"[..], block].concat(), "a.rar").1;
    assert_eq!(rar4_of(&[]), ["rar-unread"]);
    assert_eq!(rar4_of(&[0, 0, 0x74, 0, 0x80, 32, 0]), ["rar-unread"]);
    assert!(rar4_of(&[0, 0, 0x7b, 0, 0, 7, 0, 1, 2]).is_empty());
    // A block whose length leads back to itself.
    let mut again = [0; 64];
    again[2..11].copy_from_slice(&[0x74, 0, 1, 7, 0, 0xf9, 0xff, 0xff, 0xff]);
    again[32..36].fill(0xff);
    assert_eq!(rar4_of(&again), ["rar-unread"]);
    let names = [&b"Rar!\x1a\x07\x00"[..], &[0, 0, 0x73, 0x80, 0, 13, 0, 0, 0, 0, 0, 0, 0]].concat();
    assert_eq!(told(&names, "a.rar").1, ["rar-aes-128"]);
}

#[test]
fn old_workbooks_are_told_by_their_record() {
    let book = |version: u16, pass: &[u8]| {
        let mut compound = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
        let mut bytes = vec![9, 8, 4, 0];
        bytes.extend(version.to_le_bytes());
        bytes.extend([5, 0, 0x2f, 0, u8::try_from(pass.len()).unwrap(), 0]);
        bytes.extend(pass);
        std::io::Write::write_all(&mut compound.create_stream("/Workbook").unwrap(), &bytes).unwrap();
        told(&compound.into_inner().into_inner(), "a.xls")
    };
    let legacy = |word: &str| (vec!["legacy-office"], vec![word.to_owned()]);
    assert_eq!(book(0x0600, &[0, 0, 1, 2, 3, 4]), legacy("office-xor"));
    assert_eq!(book(0x0500, &[1, 2, 3, 4]), legacy("office-xor"));
    assert_eq!(book(0x0600, &[1, 0, 1, 0, 1, 0]), legacy("office-rc4-40"));
    let mut crypto_api = [0; 60];
    crypto_api[0] = 1;
    crypto_api[2..6].copy_from_slice(&[2, 0, 2, 0]);
    crypto_api[14] = 4;
    crypto_api[22..24].copy_from_slice(&[1, 0x68]);
    crypto_api[30] = 128;
    assert_eq!(book(0x0600, &crypto_api), legacy("office-rc4-128"));
    assert_eq!(book(0x0600, &[7, 0]), legacy("office-unknown"));
}

#[test]
fn old_letters_are_told_by_their_head() {
    let letter = |magic: u16, flags: u16| {
        let mut compound = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
        let mut head = [0; 64];
        head[..2].copy_from_slice(&magic.to_le_bytes());
        head[10..12].copy_from_slice(&flags.to_le_bytes());
        std::io::Write::write_all(&mut compound.create_stream("/WordDocument").unwrap(), &head).unwrap();
        told(&compound.into_inner().into_inner(), "a.doc").1
    };
    assert_eq!(letter(0xa5ec, 0x8100), ["office-xor"]);
    assert_eq!(letter(0xa5ec, 0x0100), ["office-unknown"]);
    assert!(letter(0xa5ec, 0).is_empty());
    // Word 6 and Word 95 know XOR only.
    assert_eq!(letter(0xa5dc, 0x0100), ["office-xor"]);
    assert!(letter(0xa5dc, 0).is_empty());
}

#[test]
fn what_its_sender_calls_signed_is_told_by_its_bytes() {
    let sealed = (vec!["encrypted"], vec!["smime-3des".to_owned()]);
    let told = |bytes: &[u8], kind: &str| told_by(&PdfReader::none(), bytes, kind, "smime.p7m");
    for kind in [
        "application/pkcs7-mime;signed-data",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "text/plain",
    ] {
        assert_eq!(told(&file("smime-3des.p7m"), kind), sealed, "{kind}");
    }
    let signed = (vec!["signed-wrapped"], Vec::new());
    assert_eq!(told(&file("smime-signed.p7m"), "application/pkcs7-mime;signed-data"), signed);
    assert_eq!(told(b"junk", "application/pkcs7-mime;signed-data"), signed);
    // A signature around its words, and what is no signature at all.
    for bytes in [&file("smime-signed.p7m")[..], b"0\x82Patient: Zorba Quillon"] {
        assert_eq!(told(bytes, "application/pkcs7-signature"), signed);
    }
    assert_eq!(told(&file("smime-signed.p7m"), "application/octet-stream"), signed);
}

/// `SignedData` without content: a signature that stands apart, or certificates alone. Lengths told, and left open.
const SIGNED_APART: [&[u8]; 2] = [
    b"0!\x06\x09*\x86H\x86\xf7\r\x01\x07\x02\xa0\x140\x12\x02\x01\x011\x000\x0b\x06\x09*\x86H\x86\xf7\r\x01\x07\x01",
    b"0\x80\x06\x09*\x86H\x86\xf7\r\x01\x07\x02\xa0\x800\x80\x02\x01\x011\x000\x80\x06\x09*\x86H\x86\xf7\r\x01\x07\x01\0\0\0\0",
];

#[test]
fn a_signature_without_content_holds_nothing_to_read() {
    for bytes in SIGNED_APART {
        for kind in ["application/pkcs7-signature", "application/pkcs7-mime;certs-only", "application/octet-stream"] {
            assert_eq!(told_by(&PdfReader::none(), bytes, kind, "a.p7b"), (Vec::new(), Vec::new()), "{kind}");
        }
        let chain = armoured_as("PKCS7", bytes);
        for kind in ["application/x-pkcs7-certificates", "application/pkcs7-mime", "text/plain"] {
            let told = told_by(&PdfReader::none(), chain.as_bytes(), kind, "chain.p7b");
            assert_eq!(told, (Vec::new(), Vec::new()), "{kind}");
        }
        assert_eq!(armoured(&chain), None);
    }
    // Cut off before it shows whether anything is signed.
    assert_eq!(signs_content(&SIGNED_APART[0][..20]), Some(true));
    assert_eq!(signs_content(b"words"), None);
}

#[test]
fn text_around_armour_is_read() {
    let note = "Patient Zorba Quillon, MRN 4455661: diabetes\n";
    let text = note.to_owned() + &armoured_as("PKCS7", &file("smime-signed.p7m"));
    let page = format!("<!DOCTYPE html><p>{}</p>", text.replace('\n', "<br>"));
    let reader = PdfReader::none();
    let mut inside = Inside::message(&reader);
    for content in [
        attachments::text_part(&text, "text/plain", Some("note.txt"), &mut inside),
        attachments::read(text.as_bytes(), "application/octet-stream", Some("note.txt"), false, &mut inside),
        attachments::read(page.as_bytes(), "text/html", Some("note.html"), false, &mut inside),
    ] {
        let Content::Several { texts, not_inspected } = content else { panic!() };
        assert!(texts[0].contains("MRN 4455661"), "{texts:?}");
        assert_eq!(not_inspected, ["signed-wrapped"]);
    }
}

fn armoured_as(label: &str, bytes: &[u8]) -> String {
    use base64::Engine as _;
    let digits = base64::engine::general_purpose::STANDARD.encode(bytes);
    let lines: Vec<&str> = digits.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[test]
fn s_mime_with_armour_is_read_like_that_without() {
    for (label, kind) in
        [("PKCS7", "application/octet-stream"), ("CMS", "text/plain"), ("PKCS7", "application/pkcs7-mime;")]
    {
        let told = |bytes: &[u8]| told_by(&PdfReader::none(), bytes, kind, "smime.p7m");
        let sealed = |word: &str| (vec!["encrypted"], vec![word.to_owned()]);
        assert_eq!(told(armoured_as(label, &file("smime-3des.p7m")).as_bytes()), sealed("smime-3des"));
        let broken = format!("-----BEGIN {label}-----\n!\n");
        assert_eq!(told(broken.as_bytes()), sealed("smime-unknown"));
        let signed = armoured_as(label, &file("smime-signed.p7m"));
        assert_eq!(told(signed.as_bytes()), (vec!["signed-wrapped"], Vec::new()));
    }
    let mail = format!("From: a@clinic.example\nSubject: invented\n\n{}", armoured_as("CMS", &file("smime-3des.p7m")));
    let folder = folders(&scan_with(mbox_of(&[mail]), &options())).remove(0);
    assert_eq!((folder.protected["smime-3des"], folder.not_inspected["encrypted"]), (1, 1));
}

#[test]
fn blowfish_is_told_in_s_mime() {
    let mut mail = file("smime-3des.p7m");
    let identifier = [0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7];
    let at = memchr::memmem::find(&mail, &identifier).unwrap();
    // One byte more; lengths around it lie about the end alone.
    mail.splice(at..at + identifier.len(), [0x06, 0x09, 0x2b, 6, 1, 4, 1, 0x97, 0x55, 1, 2]);
    assert_eq!(told(&mail, "smime.p7m").1, ["smime-blowfish"]);
}

#[test]
fn manifests_name_ciphers_in_several_ways() {
    let of = |xml: &str| manifest(xml).iter().map(ToString::to_string).collect::<Vec<_>>();
    let entry = |value: &str| {
        format!(
            "<m:encryption-data><m:algorithm m:initialisation-vector='a' m:algorithm-name = '{value}'/><m:start-key-generation m:start-key-generation-name='http://www.w3.org/2000/09/xmldsig#sha256'/></m:encryption-data>"
        )
    };
    assert_eq!(of(&entry("http://www.w3.org/2009/xmlenc11#aes256-gcm")), ["opendocument-aes-256"]);
    assert_eq!(of(&entry("another")), ["opendocument-unknown"]);
    assert_eq!(of("<manifest:encryption-data/>"), ["opendocument-unknown"]);
    assert!(of("<manifest:file-entry manifest:full-path='content.xml'/>").is_empty());
    let two = entry("Blowfish CFB") + &entry("http://www.w3.org/2001/04/xmlenc#aes256-cbc");
    assert_eq!(of(&two), ["opendocument-aes-256", "opendocument-blowfish"]);
    assert_eq!(of(&format!("<!--{two}--><a/><!-- -->{}<!--{two}", entry("Blowfish CFB"))), ["opendocument-blowfish"]);
}
