//! The only module that names the YAML crate. Everything a person writes is read here.
//!
//! Unknown and duplicate keys are errors (the types say `deny_unknown_fields`), and every
//! error carries file, line and column.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

pub use serde_saphyr::Spanned;

/// A fault in a text that a person wrote, at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The file as the user named it.
    pub file: PathBuf,
    /// From 1; 0 when the place is not known.
    pub line: u64,
    /// From 1, in characters; 0 when the place is not known.
    pub column: u64,
    /// What is wrong, lower case, without a full stop.
    pub what: String,
    /// How to mend it; may be empty.
    pub help: String,
    /// The line itself, shortened, for the snippet.
    pub excerpt: String,
}

impl std::error::Error for Located {}

impl std::fmt::Display for Located {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n  --> {}", escape(&self.what), escape(&self.file.display().to_string()))?;
        if self.line > 0 {
            write!(f, ", line {}, column {}", self.line, self.column)?;
            if !self.excerpt.is_empty() {
                let margin = self.line.to_string().len();
                write!(f, "\n{:margin$} |\n{} | {}\n", "", self.line, escape(&self.excerpt))?;
                let indent = usize::try_from(self.column.saturating_sub(1)).unwrap_or(0).min(200);
                write!(f, "{:margin$} | {:indent$}^", "", "")?;
            }
        }
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", escape(&self.help))?;
        }
        Ok(())
    }
}

impl Located {
    /// Points at `line` and `column` of `text`.
    pub fn at(
        file: &Path,
        text: &str,
        line: u64,
        column: u64,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let excerpt = usize::try_from(line)
            .ok()
            .and_then(|line| text.lines().nth(line.checked_sub(1)?))
            .map(|line| line.chars().take(160).collect())
            .unwrap_or_default();
        Self { file: file.to_owned(), line, column, what: what.into(), help: help.into(), excerpt }
    }

    /// Points at a value that was read as [`Spanned`].
    pub fn at_value<T>(
        file: &Path,
        text: &str,
        value: &Spanned<T>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::at(file, text, value.referenced.line(), value.referenced.column(), what, help)
    }
}

/// Control characters made visible, so that a hostile file cannot steer the terminal.
fn escape(text: &str) -> String {
    crate::text::visible(text)
}

/// Reads one document from `text`; `file` is only for the error message.
pub fn read<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, Located> {
    read_with(file, text, serde_saphyr::Options::default())
}

/// As [`read`], where only `true` and `false` are booleans (YAML 1.2): for texts in which `yes`,
/// `no`, `on` and `off` are words.
pub fn read_words<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, Located> {
    read_with(file, text, serde_saphyr::options! { strict_booleans: true })
}

fn read_with<T: DeserializeOwned>(file: &Path, text: &str, options: serde_saphyr::Options) -> Result<T, Located> {
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
        let message = error.without_snippet().to_string();
        let what = message.split(" at line ").next().unwrap_or(&message).trim().to_owned();
        let what = in_our_words(what.lines().next().unwrap_or("not readable as YAML"));
        Located::at(file, text, line, column, what, "")
    })
}

/// The crate's messages without advice to its programmers.
fn in_our_words(what: &str) -> String {
    if what.starts_with("cannot deserialize null") {
        return "a value is missing here".to_owned();
    }
    what.split(", set DuplicateKeyPolicy").next().unwrap_or(what).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Small {
        #[expect(dead_code, reason = "only its presence is read")]
        name: Spanned<String>,
    }

    #[test]
    fn unknown_and_duplicate_keys_are_located() {
        let unknown = read::<Small>(Path::new("a.yaml"), "name: x\ncolour: red\n").unwrap_err();
        assert_eq!((unknown.line, unknown.column), (2, 1), "{unknown}");
        assert!(unknown.what.contains("colour"), "{unknown}");
        let twice = read::<Small>(Path::new("a.yaml"), "name: x\nname: y\n").unwrap_err();
        assert_eq!(twice.line, 2, "{twice}");
    }
}
