//! Files of which not all can be read: damaged, broken off, or longer than what is looked at.

use super::*;

/// A process in place of the one that reads PDF files, and what it answers.
#[cfg(all(unix, feature = "pdf"))]
fn reader_that_says(folder: &Path, answer: &str) -> PdfReader {
    use std::os::unix::fs::PermissionsExt;
    let program = folder.join("program");
    let script =
        format!("#!/bin/sh\nprintf '\\{:03o}\\000\\000\\000%s' '{answer}'\nexec cat >/dev/null\n", answer.len());
    crate::files::write_whole(&program, script.as_bytes()).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    PdfReader::apart(program)
}

#[cfg(all(unix, feature = "pdf"))]
#[test]
fn a_pdf_of_which_nothing_was_read_is_told_by_its_dictionary() {
    let pdf = file("pdf-rc4-40.pdf");
    let of = |texts: &str, why: &str, pdf: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        let reader = reader_that_says(folder.path(), &format!(r#"{{"texts":[{texts}],"not_inspected":[{why}]}}"#));
        told_by(&reader, pdf, "application/pdf", "a.pdf").1
    };
    assert_eq!(of("", r#""unreadable-part""#, &pdf), ["pdf-rc4-40"]);
    assert_eq!(of("", r#""encrypted""#, &pdf), ["pdf-rc4-40"]);
    // A name that is written otherwise.
    assert_eq!(of("", r#""encrypted""#, b"%PDF-1.7 trailer<</Encryp#74 2 0 R>>"), ["pdf-unknown"]);
    // These opened without a password.
    assert!(of(r#""words""#, r#""unreadable-part""#, &pdf).is_empty());
    assert!(of("", r#""image","unreadable-part""#, &pdf).is_empty());
    assert!(of("", "", &pdf).is_empty());
    assert!(of("", r#""unreadable-part""#, b"%PDF-1.7 <</EncryptMetadata false>>").is_empty());
    // No process, one that gives no answer, and one that cannot be understood.
    let folder = tempfile::tempdir().unwrap();
    let none = PdfReader::apart(folder.path().join("none"));
    let told = |reader: &PdfReader| told_by(reader, &pdf, "application/pdf", "a.pdf");
    assert_eq!(told(&none), (vec!["pdf"], vec!["pdf-rc4-40".to_owned()]));
    let fault = reader_that_says(folder.path(), "[]");
    assert_eq!(told(&fault), (vec!["reader-fault"], vec!["pdf-rc4-40".to_owned()]));
}

/// An archive of 7-Zip whose header, or what one is packed in, stands behind what is packed.
fn seven_zip_of(packed: &[u8], header: &[u8]) -> Vec<u8> {
    let mut bytes = b"7z\xbc\xaf\x27\x1c\0\x04\0\0\0\0".to_vec();
    bytes.extend((packed.len() as u64).to_le_bytes());
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend([0; 4]);
    [&bytes, packed, header].concat()
}

#[test]
fn an_archive_of_7_zip_whose_header_is_long_is_told_by_its_coders() {
    use base64::Engine as _;
    let told = |packed: &[u8], header: &[u8]| told(&seven_zip_of(packed, header), "a.7z").1;
    // One file by AES, and 1.3 million bytes of padding, packed by LZMA.
    let packed = concat!(
        "AACBMweuD9Hy+/1AwJDTZzIAnxZl+vR4TYDGjVDobpj6JMUL9iiYNA74dY0qgJSG+r81djvQjqLkJ9ykMg47S7/iN5QT4pdrX+eE",
        "yq9D4rto0rxT3w20JUlGGWGe3+caPx8XMCzlevnd2LvjFhz+OH3ekzYjVO7MYApzdoi3llestk3haR1v+0uIEGxCy4g/XACP0E6v",
        "JiiUcR89jyThcJ6nI1/sKMuF0ZWYin4qkfIndfcZwAaYTZj92K/VkA/EJVP49ZE2MQWlsO5vwXBNRwzRkRGqrWAdus6xJxhcWYbp",
        "ZlJYvul2rFnk5VsFCPnH2q38+1IrdM0eWyBC+d1TPfgpZAk7gMsqbN+1O/DEvS5fqg8+S2ZCj+jHRv7+///VuIAA",
    );
    let packed = base64::engine::general_purpose::STANDARD.decode(packed).unwrap();
    let packing = |coder: &[u8], size: [u8; 2]| {
        let streams = [&[0x17, 6, 0, 1, 9, 0x80 | size[1], size[0], 0, 7, 0x0b, 1, 0, 1][..], coder].concat();
        [&streams[..], &[0x0c, 0xe0, 0x42, 0xd6, 0x13, 0, 0]].concat()
    };
    let size = u16::try_from(packed.len()).unwrap().to_le_bytes();
    assert_eq!(told(&packed, &packing(&[0x23, 3, 1, 1, 5, 0x5d, 0, 0, 0x10, 0], size)), ["7z-aes-256"]);
    // By LZMA2, which is not read.
    assert_eq!(told(&packed, &packing(&[0x21, 0x21, 1, 0x18], size)), ["7z-unread"]);
    // Many folders, the last by AES.
    let folders = |count: u16, last: &[u8]| {
        let mut header = vec![1, 4, 6, 0, 0, 0, 7, 0x0b, 0xc0, 0, 0];
        header[9..].copy_from_slice(&[count.to_le_bytes()[0], count.to_le_bytes()[1]]);
        header.push(0);
        (1..count).for_each(|_| header.extend([1, 1, 0]));
        header.extend(last);
        header.extend([0, 0]);
        header
    };
    assert_eq!(told(&[], &folders(12_000, &[1, 0x24, 6, 0xf1, 7, 1, 1, 0])), ["7z-aes-256"]);
    assert!(told(&[], &folders(12_000, &[1, 1, 0])).is_empty());
    // Nothing in it, only folders, or not finished.
    assert_eq!(seven_zip(&[&seven_zip_of(&[], &[])[..], b"packed"].concat()), [Protection::SevenZipUnread].into());
    assert!(told(&[], &[]).is_empty());
    assert!(told(&[], &[1, 5, 1, 0, 0]).is_empty());
}

#[test]
fn an_archive_of_7_zip_that_is_not_all_there_does_not_show_whether_it_is_protected() {
    for name in ["7z-one-file.7z", "7z-open.7z"] {
        let bytes = file(name);
        let volume = &bytes[..bytes.len() - 1];
        assert_eq!(told(volume, "a.7z.001"), (vec!["archive"], vec!["7z-unread".to_owned()]), "{name}");
    }
}

/// What an open archive holds before its directory: a folder, and as many files as wanted.
fn open_members(files: usize) -> Vec<u8> {
    let mut zip = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.add_directory("charts", ::zip::write::SimpleFileOptions::default()).unwrap();
    for number in 0..files {
        zip.start_file(number.to_string(), ::zip::write::SimpleFileOptions::default()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_zip_whose_directory_cannot_be_read_is_told_by_its_members() {
    let members_of = |mut zip: Vec<u8>| {
        zip.truncate(memchr::memmem::find(&zip, b"PK\x01\x02").unwrap());
        zip
    };
    let (zip, word) = (members_of(file("zip-zipcrypto.zip")), vec!["zip-zipcrypto".to_owned()]);
    assert_eq!(told(&zip, "a.zip"), (vec!["unreadable-part"], word.clone()));
    let open = members_of(open_members(3));
    assert_eq!(told(&open, "a.zip"), (vec!["unreadable-part"], Vec::new()));
    assert_eq!(told(&[open, zip].concat(), "a.zip"), (vec!["unreadable-part"], word));
}

#[test]
fn the_directory_of_a_zip_is_read_to_its_end() {
    let mut zip = open_members(1001);
    let last = memchr::memmem::rfind(&zip, b"PK\x01\x02").unwrap();
    zip[last + 8] |= 1;
    assert_eq!(told(&zip, "a.zip"), (vec!["container-limit"], vec!["zip-zipcrypto".to_owned()]));
}

/// An archive of one member, packed as it is.
fn around(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = ::zip::write::SimpleFileOptions::default().compression_method(::zip::CompressionMethod::Stored);
    zip.start_file(name, stored).unwrap();
    std::io::Write::write_all(&mut zip, bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn an_archive_too_deep_to_open_is_told_by_its_members() {
    let zip = around("b.zip", &around("a.zip", &file("zip-zipcrypto.zip")));
    assert_eq!(told(&zip, "c.zip"), (vec!["container-limit"], vec!["zip-zipcrypto".to_owned()]));
}

#[test]
fn an_archive_behind_other_bytes_is_read() {
    let zip = file("zip-zipcrypto.zip");
    let word = vec!["zip-zipcrypto".to_owned()];
    // The mark of an archive that was to be split, and a program that unpacks itself.
    for start in [&b"PK00"[..], b"PK\x07\x08", b"MZ\x90\0 a program"] {
        let bytes = [start, &zip].concat();
        assert_eq!(told(&bytes, "a.exe"), (vec!["encrypted"], word.clone()));
    }
    assert_eq!(told(b"MZ\x90\0 a program \xff\xfe\0", "a.exe"), (vec!["unknown-format"], Vec::new()));
    // One that knows the mark of a member: `cmp dword ptr [eax], "PK\3\4"; jne`.
    let knows = [&b"MZ\x90\0\x81\x38PK\x03\x04\x0f\x85\x11\x02\0\0"[..], &[0x90; 64]].concat();
    assert_eq!(told(&knows, "setup.exe"), (vec!["unreadable-part"], Vec::new()));
    // Another archive before the one that is found.
    let open = around("a.txt", b"invented");
    let both = [&zip[..], &open].concat();
    assert_eq!(told(&both, "a.zip"), (vec!["unreadable-part"], word));
    assert_eq!(told(&[&open[..], &open].concat(), "a.zip"), (vec!["unreadable-part"], Vec::new()));
    assert_eq!(told(&open, "a.zip"), (Vec::new(), Vec::new()));
}

#[test]
fn an_archive_that_a_program_unpacks_is_told() {
    // What unpacks knows how each kind begins.
    let program = b"MZ\x90\0 7z\xbc\xaf\x27\x1c Rar!\x1a\x07\x00 Rar!\x1a\x07\x01\x00 \xff\xfe\0".repeat(8);
    assert_eq!(told(&program, "setup.exe"), (vec!["unknown-format"], Vec::new()));
    let in_program = |archive: &[u8]| told(&[&program, archive].concat(), "setup.exe");
    let archive = |word: &str| (vec!["archive"], vec![word.to_owned()]);
    assert_eq!(in_program(&file("7z-one-file.7z")), archive("7z-aes-256"));
    assert_eq!(in_program(&file("7z-names.7z")), archive("7z-aes-256"));
    assert_eq!(in_program(&file("7z-open.7z")), (vec!["archive"], Vec::new()));
    let open = file("7z-open.7z");
    assert_eq!(in_program(&open[..open.len() - 1]), archive("7z-unread"));
    // Headers of RAR 4 and RAR 5, the names open and encrypted, and an end.
    let rar4 = b"Rar!\x1a\x07\x00\xcf\x90\x73\0\0\x0d\0\0\0\0\0\0\0";
    let rar5 = b"Rar!\x1a\x07\x01\x00\x33\x92\xb5\xe5\x0a\x01\x05\x06\x00\x05\x01\x01\x80\x80\x00";
    assert_eq!(in_program(&[&rar4[..], &[0, 0, 0x7b, 0, 0, 7, 0]].concat()), (vec!["archive"], Vec::new()));
    assert_eq!(in_program(rar4), (vec!["archive"], Vec::new()));
    assert_eq!(in_program(rar5), archive("rar-unread"));
    assert_eq!(in_program(&[&rar5[..], &[0, 0, 0, 0, 3, 5, 0, 0]].concat()), (vec!["archive"], Vec::new()));
    assert_eq!(in_program(b"Rar!\x1a\x07\x00\xce\x99\x73\x80\0\x0d\0\0\0\0\0\0\0"), archive("rar-aes-128"));
    assert_eq!(in_program(b"Rar!\x1a\x07\x01\x00\x41\x8b\x30\x84\x05\x04\0\0\0\x0f"), archive("rar-aes-256"));
    // Beside a mark of zip, which goes before.
    let marked = [&program[..], b"PK\x03\x04", &file("7z-one-file.7z")].concat();
    assert_eq!(told(&marked, "setup.exe"), (vec!["unreadable-part"], vec!["7z-aes-256".to_owned()]));
}

#[test]
fn a_message_of_openpgp_in_bytes_is_known_by_its_type_too() {
    let told = |kind: &str, name: &str| told_by(&PdfReader::none(), &file("openpgp-passphrase.gpg"), kind, name);
    let expected = (vec!["unknown-format"], vec!["openpgp-passphrase-aes-256".to_owned()]);
    assert_eq!(told("application/pgp-encrypted;", "message"), expected);
    assert_eq!(told("application/octet-stream;", "a.pgp"), expected);
}

#[test]
fn a_compression_that_is_not_read_is_no_protection() {
    let mut zip = open_members(1);
    for (start, at) in [(b"PK\x01\x02", 10), (b"PK\x03\x04", 8)] {
        let member = memchr::memmem::rfind(&zip, start).unwrap();
        zip[member + at] = 14;
    }
    assert_eq!(told(&zip, "a.zip"), (vec!["unreadable-part"], Vec::new()));
}

#[test]
fn every_openpgp_message_of_a_text_is_told() {
    use base64::Engine as _;
    let strong = base64::engine::general_purpose::STANDARD.encode(file("openpgp-passphrase.gpg"));
    let weak = String::from_utf8(file("openpgp-3des.asc")).unwrap();
    let text = format!("-----BEGIN PGP MESSAGE-----\n\n{strong}\n-----END PGP MESSAGE-----\nand\n{weak}");
    let (aes, des) = (Protection::OpenPgpPassphrase(Cipher::Aes256), Protection::OpenPgpPassphrase(Cipher::TripleDes));
    assert_eq!(armoured(&text), Some(Protections::from([aes, des])));
    assert_eq!(armoured("no message"), None);
}

#[test]
fn what_is_only_called_p7m_is_not_told_as_protected() {
    let told = |bytes: &[u8]| told_by(&PdfReader::none(), bytes, "application/octet-stream", "a.p7m");
    let junk: Vec<u8> = (0..=255).cycle().take(2048).collect();
    assert_eq!(told(&junk), (vec!["unknown-format"], Vec::new()));
    assert_eq!(told(&file("smime-3des.p7m")), (vec!["encrypted"], vec!["smime-3des".to_owned()]));
}

#[test]
fn slides_are_told_wherever_their_session_stands() {
    let mut compound = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    let mut user = vec![0; 20];
    user[12..16].copy_from_slice(&0xf3d1_c4df_u32.to_le_bytes());
    std::io::Write::write_all(&mut compound.create_stream("/Current User").unwrap(), &user).unwrap();
    let mut slides = vec![0x55; 300_000];
    // What only looks like its beginning, and the session with its CryptoAPI of 128 bits.
    slides[1000..1004].copy_from_slice(&[0x0f, 0, 0x14, 0x2f]);
    slides[150_000..150_004].copy_from_slice(&[0x0f, 0, 0x14, 0x2f]);
    let mut session = [0; 40];
    session[..4].copy_from_slice(&[2, 0, 2, 0]);
    session[20..24].copy_from_slice(&0x6801_u32.to_le_bytes());
    session[28] = 128;
    slides[150_008..150_048].copy_from_slice(&session);
    std::io::Write::write_all(&mut compound.create_stream("/PowerPoint Document").unwrap(), &slides).unwrap();
    let bytes = compound.into_inner().into_inner();
    assert_eq!(told(&bytes, "a.ppt"), (vec!["legacy-office"], vec!["office-rc4-128".to_owned()]));
}
