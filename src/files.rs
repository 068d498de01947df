//! Writes files whole or not at all, readable by their owner only; reads them with a bound.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read {}: {source}", crate::text::visible(&path.display().to_string()))]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write {}: {source}", crate::text::visible(&path.display().to_string()))]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{} is larger than {limit} bytes", crate::text::visible(&path.display().to_string()))]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("{} is not UTF-8 text (byte {at})", crate::text::visible(&path.display().to_string()))]
    NotText { path: PathBuf, at: usize },
}

impl FileError {
    /// Whether there is no such file; anything else that went wrong says nothing of that.
    pub fn is_not_there(&self) -> bool {
        match self {
            Self::Read { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            Self::Write { .. } | Self::TooLarge { .. } | Self::NotText { .. } => false,
        }
    }
}

/// Makes a folder (and those above it), private to the owner where it is new.
pub fn make_folder(path: &Path) -> Result<(), FileError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| FileError::Write { path: path.to_owned(), source })
}

/// Writes `bytes` to `path` through a temporary neighbour, so that no reader sees half a file.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // NamedTempFile is 0600 from the start and is removed if anything below fails.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Reads at most `limit` bytes; a larger file is an error, not a cut.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(FileError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// As [`read_bounded`], as text without a byte order mark.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    let bytes = read_bounded(path, limit)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| FileError::NotText { path: path.to_owned(), at: error.utf8_error().valid_up_to() })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Opens a private file to append to, first cut to its first `keep` bytes.
pub fn open_append(path: &Path, keep: u64) -> Result<fs::File, FileError> {
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed)?;
    file.set_len(keep).map_err(failed)?;
    Ok(file)
}
