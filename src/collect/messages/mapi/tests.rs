//! What both kinds of Outlook's files must give of one invented message.

/// Asserts the fields of the mail that was made of it.
pub(in super::super) fn assert_fields(mail: &[u8], subject: &str) {
    let mail = mail_parser::MessageParser::default().parse(mail).unwrap();
    let address =
        |list: Option<&mail_parser::Address<'_>>| list.unwrap().first().unwrap().address().unwrap().to_owned();
    assert_eq!(address(mail.from()), "zq@home.example");
    assert_eq!(address(mail.to()), "desk@clinic.example");
    assert_eq!(address(mail.cc()), "lab@clinic.example");
    assert_eq!(mail.bcc(), None, "a line end in the subject begins no field");
    assert_eq!(mail.message_id(), Some("one@home.example"));
    assert!(mail.subject().unwrap().starts_with(subject), "{:?}", mail.subject());
}
