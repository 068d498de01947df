use super::*;
use std::io::Write;

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn read(bytes: &[u8]) -> Content {
    archive(bytes, &mut Inside::message(&PdfReader::none()))
}

fn texts(content: Content) -> (Vec<String>, Vec<&'static str>) {
    match content {
        Content::Several { texts, not_inspected } => (texts, not_inspected),
        Content::Text(text) => (vec![text], Vec::new()),
        Content::NotInspected(why) => (Vec::new(), vec![why]),
        Content::Image { .. } | Content::Invite(_) | Content::Message(_) | Content::NothingToRead => {
            panic!("unexpected")
        }
    }
}

#[test]
fn a_word_document_gives_paragraphs_and_cells() {
    let xml = b"<w:document><w:body><w:p><w:r><w:t>MRN 44</w:t></w:r><w:r><w:t>5566</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:t>a</w:t></w:p></w:tc><w:tc><w:p><w:t>b &amp; c</w:t></w:p></w:tc></w:tr></w:tbl></w:body></w:document>";
    let (found, why) = texts(read(&zip_of(&[("word/document.xml", xml)])));
    assert_eq!(found, ["MRN 445566\na \tb & c \t\n"]);
    assert!(why.is_empty());
}

#[test]
fn a_workbook_gives_rows_with_dates_as_dates() {
    let shared = b"<sst><si><t>DOB</t></si><si><r><t>Na</t></r><r><t>me</t></r></si></sst>";
    let sheet = b"<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"C1\" t=\"s\"><v>1</v></c></row><row><c r=\"A2\"><v>22709</v></c><c r=\"C2\" t=\"inlineStr\"><is><t>Quillon</t></is></c></row></sheetData></worksheet>";
    let (found, _) = texts(read(&zip_of(&[
        ("xl/workbook.xml", b"<workbook/>"),
        ("xl/sharedStrings.xml", shared),
        ("xl/worksheets/sheet1.xml", sheet),
    ])));
    assert_eq!(found, ["DOB\t\tName\t\n22709 1962-03-04\t\tQuillon\t\n"]);
    // A prefix before every name, as some writers put one.
    let prefixed = b"<x:worksheet><x:sheetData><x:row r=\"1\"><x:c r=\"A1\" t=\"inlineStr\"><x:is><x:t>MRN</x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>";
    let of = |sheet: &[u8]| {
        texts(read(&zip_of(&[("xl/workbook.xml", b"<workbook/>"), ("xl/worksheets/sheet1.xml", sheet)])))
    };
    assert_eq!(of(prefixed), (vec!["MRN\t\n".to_owned()], vec![]));
    assert_eq!(of(b"<worksheet><sheetData><other/></sheetData></worksheet>").1, ["unreadable-part"]);
    assert!(of(b"<worksheet><sheetData/></worksheet>").1.is_empty());
}

#[test]
fn what_lies_beside_a_documents_text_is_read_or_counted() {
    let word = ("word/document.xml", &b"<w:p><w:t>See below</w:t></w:p>"[..]);
    let of = |more: (&str, &[u8])| texts(read(&zip_of(&[word, more])));
    assert_eq!(of(("word/media/image1.jpeg", &[0; 70_000])).1, ["image"]);
    assert!(of(("word/media/logo.png", b"small")).1.is_empty());
    assert!(of(("word/theme/theme1.xml", b"<a:theme/>")).1.is_empty());
    assert_eq!(of(("patients.csv", b"MRN 445566")).0, ["patients.csv\nMRN 445566", "See below\n"]);
    let sheet = b"<worksheet><row><c t=\"inlineStr\"><is><t>MRN</t></is></c></row></worksheet>";
    let table = zip_of(&[("xl/workbook.xml", b"<workbook/>"), ("xl/worksheets/sheet1.xml", sheet)]);
    assert_eq!(of(("word/embeddings/table.xlsx", &table)).0, ["See below\n", "MRN\t\n"]);
    let book = [
        ("xl/workbook.xml", &b"<workbook/>"[..]),
        (
            "xl/comments1.xml",
            b"<comments><authors><author>Ana Ruiz</author></authors><comment><text><r><t>MRN </t></r><r><t>445566</t></r></text></comment><comment><text><t>DOB 03/14/1951</t></text></comment></comments>",
        ),
        ("xl/pivotCache/pivotCacheRecords1.xml", b"<pivotCacheRecords/>"),
        ("xl/styles.xml", b"<styleSheet/>"),
    ];
    let (found, why) = texts(read(&zip_of(&book)));
    let lines: Vec<&str> = found[0].lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, ["Ana Ruiz", "MRN 445566", "DOB 03/14/1951"]);
    assert_eq!(why, ["unreadable-part"]);
    assert_eq!(of(("word/afchunk1.mht", b"MRN 445566")).0, ["word afchunk1.mht\nMRN 445566", "See below\n"]);
    let open = |styles: &[u8]| {
        let text = ("content.xml", &b"<text:p>See above</text:p>"[..]);
        texts(read(&zip_of(&[("mimetype", b"application/vnd.oasis.opendocument.text"), text, ("styles.xml", styles)])))
    };
    assert_eq!(open(b"<style:header><text:p>MRN 445566</text:p></style:header>").0[1], "MRN 445566\n");
    assert_eq!(open(b"\x8e\x12 garbage").1, ["encrypted"]);
}

#[test]
fn names_are_compared_without_case_and_no_file_hides_behind_another() {
    let book = [
        ("XL/Workbook.xml", &b"<workbook><sheets><sheet name=\"Zorba Quillon\"/></sheets></workbook>"[..]),
        ("xl/SharedStrings.xml", b"<sst><si><t>MRN 445566</t></si></sst>"),
        ("xl/Worksheets/Sheet1.xml", b"<sheetData><row><c t=\"s\"><v>0</v></c></row></sheetData>"),
    ];
    let (found, why) = texts(read(&zip_of(&book)));
    assert_eq!(found, ["MRN 445566\t\n", "Zorba Quillon\n"]);
    assert!(why.is_empty(), "{why:?}");
    assert_eq!(texts(read(&zip_of(&[book[0], book[2]]))).1, ["unreadable-part"]);
    // Two of one name.
    let mut twice = zip_of(&[("one.txt", b"MRN 445566"), ("two.txt", b"Lunch at noon")]);
    let at: Vec<usize> = memchr::memmem::find_iter(&twice, b"one.txt").collect();
    at.iter().for_each(|at| twice[*at..at + 3].copy_from_slice(b"two"));
    assert_eq!(texts(read(&twice)).1, ["unreadable-part"]);
    let numbered = ("word/document2.xml", &b"<w:t>MRN 44</w:t><w:t>5566</w:t>"[..]);
    assert_eq!(texts(read(&zip_of(&[numbered]))).0, ["MRN 445566"]);
    // A folder that holds words is none.
    let mut folder = zip_of(&[("notes.", b"MRN 445566")]);
    let at: Vec<usize> = memchr::memmem::find_iter(&folder, b"notes.").collect();
    at.iter().for_each(|at| folder[at + 5] = b'/');
    assert_eq!(texts(read(&folder)).0, ["notes \nMRN 445566"]);
}

#[test]
fn a_document_in_another_encoding_is_read() {
    let wide = |text: &str| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let word = wide("<?xml version=\"1.0\"?><w:p><w:t>MRN 445566</w:t></w:p>");
    assert_eq!(texts(read(&zip_of(&[("word/document.xml", &word)]))), (vec!["MRN 445566\n".to_owned()], vec![]));
    let sheet = wide("<sheetData><row><c><v>445566</v></c></row></sheetData>");
    let book = [("xl/workbook.xml", &b"<workbook/>"[..]), ("xl/worksheets/sheet1.xml", &sheet)];
    assert_eq!(texts(read(&zip_of(&book))), (vec!["445566\t\n".to_owned()], vec![]));
}

#[test]
fn a_damaged_part_is_protected_only_where_documents_protect_parts() {
    let of_bytes = |bytes: &[u8]| {
        let reader = PdfReader::none();
        let mut inside = Inside::message(&reader);
        let why = texts(archive(bytes, &mut inside)).1;
        (why, inside.protected.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let of = |entries: &[(&str, &[u8])]| of_bytes(&zip_of(entries));
    let garbage = &b"\x8e\x12 garbage"[..];
    let book = [("xl/workbook.xml", &b"<workbook/>"[..]), ("xl/worksheets/sheet1.xml", garbage)];
    assert_eq!(of(&book), (vec!["unreadable-part"], Vec::new()));
    let word = [("word/document.xml", &b"<w:t>a</w:t>"[..]), ("word/comments.xml", garbage)];
    assert_eq!(of(&word), (vec!["unreadable-part"], Vec::new()));
    let kind = ("mimetype", &b"application/vnd.oasis.opendocument.text"[..]);
    assert_eq!(of(&[kind, ("content.xml", garbage)]), (vec!["encrypted"], vec!["opendocument-unknown".to_owned()]));
    let told = ("META-INF/manifest.xml", &b"<m:algorithm m:algorithm-name='Blowfish CFB'/>"[..]);
    let word = vec!["opendocument-blowfish".to_owned()];
    assert_eq!(of(&[kind, told, ("content.xml", garbage)]), (vec!["encrypted"], word.clone()));
    // What is read is open, whatever the manifest says.
    assert_eq!(of(&[kind, told, ("content.xml", b"<text:p>a</text:p>")]), (Vec::new(), Vec::new()));
    let mut damaged = zip_of(&[kind, told, ("content.xml", b"<text:p>a</text:p>")]);
    let at = memchr::memmem::rfind(&damaged, b"PK\x01\x02").unwrap();
    damaged[at + 16] ^= 1;
    assert_eq!(of_bytes(&damaged), (vec!["unreadable-part"], word.clone()));
    // All of a document as one file.
    assert_eq!(of(&[kind, told, ("encrypted-package", garbage)]).1, word);
    assert_eq!(of(&[kind, ("encrypted-package", garbage)]).1, ["opendocument-unknown"]);
}

#[test]
fn one_long_text_in_every_cell_ends_at_the_limit() {
    let shared = format!("<sst><si><t>{}</t></si></sst>", "word ".repeat(1024 * 1024));
    let cells = "<c t=\"s\"><v>0</v></c>".repeat(1000);
    let sheet = format!("<worksheet><sheetData><row>{cells}</row><row>{cells}</row></sheetData></worksheet>");
    let (found, why) = texts(read(&zip_of(&[
        ("xl/workbook.xml", b"<workbook/>"),
        ("xl/sharedStrings.xml", shared.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])));
    assert!(found.iter().map(String::len).sum::<usize>() < 80 * 1024 * 1024);
    assert_eq!(why, ["container-limit"]);
}

#[test]
fn containers_in_a_container_share_what_may_be_taken_out() {
    let bomb = zip_of(&[("a.txt", &vec![b'a'; 40 * 1024 * 1024])]);
    let several: Vec<(String, &[u8])> = (0..4).map(|number| (format!("{number}.zip"), &bomb[..])).collect();
    let several: Vec<(&str, &[u8])> = several.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    let (found, why) = texts(read(&zip_of(&several)));
    assert!(found.iter().map(String::len).sum::<usize>() <= 64 * 1024 * 1024);
    assert_eq!(why, ["container-limit"]);
}

#[test]
fn bombs_end_at_the_limit_and_say_so() {
    let bomb = zip_of(&[("a.txt", &vec![b'a'; 100 * 1024 * 1024])]);
    let (found, why) = texts(read(&bomb));
    assert!(found.is_empty());
    assert_eq!(why, ["container-limit"]);
    assert_eq!(texts(read(b"PK\x03\x04 garbage")).1, ["unreadable-part"]);
}

#[test]
fn messages_in_an_archive_are_read_with_what_is_attached_to_them() {
    let table = zip_of(&[("list.csv", b"Zorba Quillon, MRN 445566")]);
    let table = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, table);
    let mail = format!(
        "From: a@b.example\r\nSubject: biopsy\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
         --x\r\nContent-Type: text/plain\r\n\r\nsee list\r\n\
         --x\r\nContent-Type: application/zip; name=list.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{table}\r\n--x--\r\n"
    );
    let (found, why) = texts(read(&zip_of(&[("mail/one.eml", mail.as_bytes())])));
    assert_eq!(
        found,
        ["mail one.eml\nbiopsy\nsee list", "list.zip\nlist.csv\nZorba Quillon, MRN 445566", "biopsy\nlist.zip"]
    );
    assert!(why.is_empty(), "{why:?}");
    // What is called mail and is none.
    let (found, why) = texts(read(&zip_of(&[("one.eml", b"MRN 445566")])));
    assert_eq!((found[0].as_str(), why), ("one.eml\nMRN 445566", vec!["unreadable-part"]));
}

#[test]
fn mailbox_files_are_read_in_archives_within_the_same_bounds() {
    use crate::collect::messages::pst::tests::planted;
    for file in planted::in_every_form() {
        let none = PdfReader::none();
        let whole = |content| {
            let (found, why) = texts(content);
            let notes = found.iter().filter(|text| text.contains("MRN 8837261")).count() as u64;
            (notes, why)
        };
        // One has three files with the note, and an object of another program, which nobody reads.
        let expected = (planted::LIKELY + 2, vec!["unknown-format"]);
        assert_eq!(whole(mailbox_file(&file, &mut Inside::message(&none))), expected);
        assert_eq!(whole(read(&zip_of(&[("old mail.pst", &file)]))), expected);
        let nested = zip_of(&[("b.zip", &zip_of(&[("old.ost", &file)]))]);
        assert_eq!(whole(read(&nested)), (0, vec!["container-limit"]));
        for left in [0, 2_000, 8_000] {
            let mut inside = Inside { containers: 1, left, ..Inside::message(&none) };
            let (notes, why) = whole(mailbox_file(&file, &mut inside));
            assert!(notes < expected.0 && why.contains(&"container-limit"), "{left}: {notes} {why:?}");
        }
        let (notes, why) = whole(mailbox_file(&file[..file.len() / 2], &mut Inside::message(&none)));
        assert_eq!((notes, why.len()), (0, 1), "{why:?}");
    }
}

#[test]
fn containers_of_two_kinds_inside_one_another_end_at_the_limit() {
    let tnef = |file: &[u8]| {
        let mut bytes = vec![0x78, 0x9f, 0x3e, 0x22, 0, 0, 2, 0x0f, 0x80, 0, 0];
        bytes.extend(u32::try_from(file.len()).unwrap().to_le_bytes());
        bytes.extend(file);
        bytes.extend([0, 0]);
        bytes
    };
    let mut innermost = b"MRN 445566".to_vec();
    for _ in 0..1000 {
        innermost = tnef(&innermost);
    }
    let (found, why) = texts(read(&zip_of(&[("winmail.dat", &innermost)])));
    assert!(found.is_empty());
    assert_eq!(why, ["container-limit"]);
    let (found, why) = texts(read(&zip_of(&[("winmail.dat", &tnef(b"MRN 445566"))])));
    assert_eq!(found, ["winmail.dat\n\nMRN 445566"]);
    assert!(why.is_empty());
}
