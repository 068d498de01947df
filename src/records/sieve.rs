//! Reads Sieve scripts (RFC 5228) for what they do with mail: who gets a copy, what disappears.
//!
//! The script is not run and not checked for correctness. It is cut into words (RFC 5228 section
//! 8.1), and every action is found wherever it stands: in a block of a command nobody knows, in a
//! test, after a fault. So no extension can hide a `redirect`. What cannot be told, such as an
//! address made of variables or a script that another one includes, is said to be so.

/// Longer scripts are not read.
pub const SCRIPT_BYTES: usize = 4 * 1024 * 1024;
/// Blocks in blocks; Pigeonhole refuses far fewer.
const DEEPEST: usize = 256;

/// What a script does, block by block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The blocks that do something, in the order in which they end.
    pub blocks: Vec<Block>,
    /// What is wrong with the text, as clauses; it may mean something else to the server.
    pub faults: Vec<&'static str>,
    /// Whether another script is included, whose actions are not here.
    pub includes: bool,
}

/// The actions that stand in one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    pub actions: Vec<Action>,
    /// Whether it stands within a test or another command, so that it applies to some mail only.
    pub conditional: bool,
    /// The texts that the tests around it look for.
    pub looks_for: Vec<String>,
    /// Whether it stands within `disabled_if`, by which Zimbra keeps a filter that is switched off;
    /// a server that does not know the word runs nothing of such a script.
    pub switched_off: bool,
}

/// One action that matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sets a flag (RFC 5232); true for `\Seen`.
    AddFlag {
        seen: bool,
    },
    Discard,
    FileInto {
        folder: String,
        copy: bool,
    },
    Keep,
    /// Sends a notice to an address (RFC 5436); text after `mailto:`.
    NotifyMailto(String),
    /// Hands the message to a program (Pigeonhole's `pipe`, `execute`, `filter`), which may send it anywhere.
    Program {
        copy: bool,
    },
    /// `None` where the address is made of variables or is not there.
    Redirect {
        to: Option<String>,
        copy: bool,
    },
    Stop,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Identifier(String),
    Tag(String),
    Text(String),
    Number,
    Punctuation(u8),
}

/// Reads a script. Whatever the text, this ends and gives what could be found.
pub fn read(text: &str) -> Script {
    let mut script = Script::default();
    if text.len() > SCRIPT_BYTES {
        script.faults.push("it is too long");
        return script;
    }
    let tokens = tokens(text, &mut script.faults);
    // One entry a block that is open: the index of its actions, and the texts its tests look for.
    let mut open: Vec<(Block, Vec<String>)> = vec![(Block::default(), Vec::new())];
    let mut statement: Vec<&Token> = Vec::new();
    for token in &tokens {
        match token {
            Token::Punctuation(b';') => {
                take(&statement, &mut open, &mut script.includes);
                statement.clear();
            }
            Token::Punctuation(b'{') => {
                // An action among the words before the brace is an action all the same.
                take(&statement, &mut open, &mut script.includes);
                let mut around = open.last().map(|(_, around)| around.clone()).unwrap_or_default();
                let off = matches!(statement.first(), Some(Token::Identifier(name)) if name == "disabled_if")
                    || open.last().is_some_and(|(block, _)| block.switched_off);
                around.extend(statement.iter().filter_map(|token| match token {
                    Token::Text(text) => Some(text.clone()),
                    Token::Identifier(_) | Token::Number | Token::Punctuation(_) | Token::Tag(_) => None,
                }));
                statement.clear();
                if open.len() < DEEPEST {
                    let looks_for = around.clone();
                    let block = Block { conditional: true, looks_for, actions: Vec::new(), switched_off: off };
                    open.push((block, around));
                } else {
                    script.faults.push("its blocks are nested too deep");
                }
            }
            Token::Punctuation(b'}') => {
                take(&statement, &mut open, &mut script.includes);
                statement.clear();
                if open.len() > 1 {
                    script.blocks.extend(open.pop().map(|(block, _)| block));
                } else {
                    script.faults.push("a brace closes nothing");
                }
            }
            Token::Identifier(_) | Token::Number | Token::Punctuation(_) | Token::Tag(_) | Token::Text(_) => {
                statement.push(token);
            }
        }
    }
    if !statement.is_empty() {
        script.faults.push("its last command does not end");
        take(&statement, &mut open, &mut script.includes);
    }
    if open.len() > 1 {
        script.faults.push("a block does not end");
    }
    script.blocks.extend(open.into_iter().rev().map(|(block, _)| block));
    script.blocks.retain(|block| !block.actions.is_empty());
    script.faults.sort_unstable();
    script.faults.dedup();
    script
}

/// Finds the actions among the words of one command.
fn take(statement: &[&Token], open: &mut [(Block, Vec<String>)], includes: &mut bool) {
    let (block, _) = open.last_mut().expect("the script itself is always open");
    let nested = !matches!(statement.first(), Some(Token::Identifier(name)) if is_action(name));
    for (at, token) in statement.iter().enumerate() {
        let Token::Identifier(name) = token else { continue };
        // Arguments reach up to the next word that can be a command or a test.
        let arguments: Vec<&&Token> =
            statement[at + 1..].iter().take_while(|token| !matches!(token, Token::Identifier(_))).collect();
        let texts = || {
            arguments.iter().filter_map(|token| match token {
                Token::Text(text) => Some(text.as_str()),
                Token::Identifier(_) | Token::Number | Token::Punctuation(_) | Token::Tag(_) => None,
            })
        };
        let copy = arguments.iter().any(|token| matches!(token, Token::Tag(tag) if tag == "copy"));
        let mut found = Vec::new();
        match name.as_str() {
            "redirect" => {
                found.extend(texts().map(|to| Action::Redirect {
                    // `${…}` is a variable or an encoded character (RFC 5229, RFC 5228 section 2.4.2.4).
                    to: (!to.contains("${")).then(|| to.to_owned()),
                    copy,
                }));
                if found.is_empty() {
                    found.push(Action::Redirect { to: None, copy });
                }
            }
            "discard" | "reject" | "ereject" => found.push(Action::Discard),
            "fileinto" => {
                // The last text is the folder; those before belong to tags such as `:flags`.
                let folder = texts().next_back().unwrap_or_default().to_owned();
                found.push(Action::FileInto { folder, copy });
            }
            "keep" => found.push(Action::Keep),
            "stop" => found.push(Action::Stop),
            "addflag" | "setflag" => {
                let seen = texts().any(|flags| flags.to_ascii_lowercase().contains("\\seen"));
                found.push(Action::AddFlag { seen });
            }
            "notify" | "enotify" => found.extend(texts().filter_map(|method| {
                let start = method.get(..7)?;
                start.eq_ignore_ascii_case("mailto:").then(|| {
                    let to = method[7..].split('?').next().unwrap_or_default();
                    Action::NotifyMailto(to.to_owned())
                })
            })),
            // Dovecot's `vnd.dovecot.pipe`, `.execute` and `.filter`: the last two are tests as well, and
            // read the message without taking it away.
            "pipe" => found.push(Action::Program { copy }),
            "execute" | "filter" => found.push(Action::Program { copy: true }),
            "include" => *includes = true,
            _ => {}
        }
        // An action that stands within another command may apply to some mail only.
        block.conditional |= nested && !found.is_empty();
        block.actions.extend(found);
    }
}

fn is_action(name: &str) -> bool {
    [
        "redirect", "pipe", "execute", "filter", "discard", "reject", "ereject", "fileinto", "keep", "stop", "addflag",
        "setflag", "notify", "enotify",
    ]
    .contains(&name)
}

/// Cuts the text into words. Comments fall away; a fault is noted and read over.
fn tokens(text: &str, faults: &mut Vec<&'static str>) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b'#' => at = line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => match text[at + 2..].find("*/") {
                Some(length) => at += length + 4,
                None => {
                    // A server refuses such a script; what stands in the comment is looked at all the same.
                    faults.push("a comment does not end");
                    at += 2;
                }
            },
            b'"' => {
                let (read, next) = quoted(text, at + 1, faults);
                tokens.push(Token::Text(read));
                at = next;
            }
            b';' | b',' | b'(' | b')' | b'[' | b']' | b'{' | b'}' => {
                tokens.push(Token::Punctuation(byte));
                at += 1;
            }
            b'0'..=b'9' => {
                at = word_end(bytes, at);
                tokens.push(Token::Number);
            }
            b':' => {
                let end = word_end(bytes, at + 1);
                tokens.push(Token::Tag(text[at + 1..end].to_ascii_lowercase()));
                at = end.max(at + 1);
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let end = word_end(bytes, at);
                let word = text[at..end].to_ascii_lowercase();
                if word == "text" && bytes.get(end) == Some(&b':') {
                    let (read, next) = multi_line(text, end + 1, faults);
                    tokens.push(Token::Text(read));
                    at = next;
                } else {
                    tokens.push(Token::Identifier(word));
                    at = end;
                }
            }
            _ => {
                faults.push("a character stands where none may");
                at += text[at..].chars().next().map_or(1, char::len_utf8);
            }
        }
    }
    tokens
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| from + length + 1)
}

fn word_end(bytes: &[u8], from: usize) -> usize {
    let more = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    bytes[from..].iter().position(|byte| !more(byte)).map_or(bytes.len(), |length| from + length)
}

/// A quoted text from after its first quote (RFC 5228 section 2.4.2), and where it ends.
fn quoted(text: &str, from: usize, faults: &mut Vec<&'static str>) -> (String, usize) {
    let mut read = String::new();
    let mut characters = text[from..].char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (read, from + at + 1),
            '\\' => read.extend(characters.next().map(|(_, escaped)| escaped)),
            other => read.push(other),
        }
    }
    faults.push("a text does not end");
    (read, text.len())
}

/// A multi-line text from after `text:`, up to a line with one dot.
fn multi_line(text: &str, from: usize, faults: &mut Vec<&'static str>) -> (String, usize) {
    let bytes = text.as_bytes();
    let mut at = line_end(bytes, from);
    let mut read = String::new();
    while at < bytes.len() {
        let end = line_end(bytes, at);
        let line = text[at..end].trim_end_matches(['\r', '\n']);
        at = end;
        if line == "." {
            return (read, at);
        }
        read.push_str(line.strip_prefix('.').filter(|rest| rest.starts_with('.')).unwrap_or(line));
        read.push('\n');
    }
    faults.push("a text does not end");
    (read, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redirects(text: &str) -> Vec<(Option<String>, bool)> {
        read(text)
            .blocks
            .into_iter()
            .flat_map(|block| block.actions)
            .filter_map(|action| match action {
                Action::Redirect { to, copy } => Some((to, copy)),
                _ => None,
            })
            .collect()
    }

    fn to(address: &str) -> Option<String> {
        Some(address.to_owned())
    }

    #[test]
    fn a_script_is_told_block_by_block() {
        let script = read(
            "require [\"fileinto\", \"copy\"];\r\n# a comment; redirect \"no@elsewhere.example\";\r\n\
             if header :contains \"subject\" [\"Invoice\", \"Wire\"] { fileinto \"Trash\"; stop; }\r\n\
             /* redirect \"no@elsewhere.example\"; */ redirect :copy \"home@elsewhere.example\";",
        );
        assert_eq!(script.faults, [""; 0]);
        assert_eq!(script.blocks.len(), 2);
        assert_eq!(script.blocks[0].actions[0], Action::FileInto { folder: "Trash".to_owned(), copy: false });
        assert!(script.blocks[0].conditional && script.blocks[0].looks_for.contains(&"Invoice".to_owned()));
        assert!(!script.blocks[1].conditional);
        assert_eq!(script.blocks[1].actions, [Action::Redirect { to: to("home@elsewhere.example"), copy: true }]);
    }

    #[test]
    fn words_in_texts_are_no_actions() {
        assert_eq!(redirects("vacation \"redirect \\\"x@y.example\\\"; discard;\";"), []);
        assert_eq!(redirects("vacation text:\r\nredirect \"x@y.example\";\r\n.\r\n;"), []);
        let script = read("vacation text:\n..redirect\n.\n; redirect \"a@b.example\";");
        assert_eq!(script.blocks[0].actions, [Action::Redirect { to: to("a@b.example"), copy: false }]);
    }

    #[test]
    fn an_address_of_variables_is_not_known() {
        assert_eq!(redirects("set \"x\" \"a@b.example\"; redirect \"${x}\";"), [(None, false)]);
        assert_eq!(redirects("redirect;"), [(None, false)]);
    }

    #[test]
    fn what_is_included_is_not_here() {
        assert!(read("include :personal \"other\";").includes);
    }

    #[test]
    fn folders_come_after_the_flags_that_a_tag_takes() {
        let script = read(r#"fileinto :flags "\\Seen" "RSS Feeds";"#);
        assert_eq!(script.blocks[0].actions, [Action::FileInto { folder: "RSS Feeds".to_owned(), copy: false }]);
    }

    proptest! {
        #[test]
        fn any_text_ends(text in ".{0,400}") {
            let _ = read(&text);
        }

        #[test]
        fn any_words_end(words in proptest::collection::vec(r#"(redirect|if|\{|\}|;|"|text:|/\*|#|\[|[a-z]{1,4}|\\|\n) ?"#, 0..60)) {
            let _ = read(&words.concat());
        }

        #[test]
        fn no_unknown_command_hides_a_redirect(
            name in "x[a-z]{1,8}",
            tags in proptest::collection::vec(":[a-z]{1,6}", 0..3),
            arguments in proptest::collection::vec(r#"("[a-z ]{0,8}"|[0-9]{1,4}K?|\["[a-z]{0,4}", "[a-z]{0,4}"\]|xtest|\(xone, xtwo "a"\))"#, 0..4),
            depth in 1usize..6,
            before in prop_oneof![Just(""), Just("keep;"), Just("xother :tag [\"a\"];"), Just("} "), Just("\u{e9} ")],
        ) {
            let head = format!("{name} {} {} ", tags.join(" "), arguments.join(" "));
            let text = format!("{before}{}redirect :copy \"out@elsewhere.example\";{}", format!("{head}{{ ").repeat(depth), " }".repeat(depth));
            prop_assert_eq!(redirects(&text), [(to("out@elsewhere.example"), true)]);
            // Nor one that takes the action as an argument.
            let argument = format!("{head} redirect \"out@elsewhere.example\";");
            prop_assert_eq!(redirects(&argument), [(to("out@elsewhere.example"), false)]);
        }
    }
}
