//! Paths of a client's folder: relative, and never out of it.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::evidence::hex;

/// A file that documents something is at most this large.
const LARGEST: u64 = 512 * 1024 * 1024;

/// Why a path may not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("the path is absolute; paths are relative to the scope's folder")]
    Absolute,
    #[error("the path is empty")]
    Empty,
    #[error("the path leaves the scope's folder")]
    Leaves,
}

/// Joins `path` to `folder`, refusing everything that leads outside, symbolic links included.
pub fn inside(folder: &Path, path: &str) -> Result<PathBuf, PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    let mut joined = folder.to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => joined.push(part),
            Component::CurDir => {}
            Component::ParentDir => return Err(PathError::Leaves),
            Component::RootDir | Component::Prefix(_) => return Err(PathError::Absolute),
        }
    }
    // What does not exist yet cannot be a link; what exists is followed once and compared.
    if let (Ok(real), Ok(root)) = (joined.canonicalize(), folder.canonicalize())
        && !real.starts_with(&root)
    {
        return Err(PathError::Leaves);
    }
    Ok(joined)
}

/// Where `label` lies inside `folder`, if it does and is there.
pub fn find(folder: &Path, label: &str) -> Option<PathBuf> {
    inside(folder, label).ok().filter(|path| path.exists())
}

/// SHA-256 of the file `label` inside `folder`; `None` where it is not there to be read.
pub fn sha256(folder: &Path, label: &str) -> Option<String> {
    let path = find(folder, label)?;
    if !path.is_file() {
        return None;
    }
    let mut file = std::fs::File::open(path).ok()?.take(LARGEST + 1);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut total = 0;
    loop {
        let count = file.read(&mut buffer).ok()?;
        if count == 0 {
            return (total <= LARGEST).then(|| hex(&hash.finalize()));
        }
        total += count as u64;
        hash.update(&buffer[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("client");
        std::fs::create_dir(&root).unwrap();
        assert_eq!(inside(&root, "../other"), Err(PathError::Leaves));
        assert_eq!(inside(&root, "/etc/passwd"), Err(PathError::Absolute));
        assert_eq!(inside(&root, "a/./b"), Ok(root.join("a/b")));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path(), root.join("link")).unwrap();
            assert_eq!(inside(&root, "link"), Err(PathError::Leaves));
        }
    }

    #[test]
    fn only_files_inside_the_folder_are_hashed() {
        let folder = tempfile::tempdir().unwrap();
        let client = folder.path().join("client");
        crate::files::make_folder(&client.join("policies")).unwrap();
        crate::files::write_whole(&client.join("policies/mail.pdf"), b"policy").unwrap();
        crate::files::write_whole(&folder.path().join("secret.txt"), b"secret").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path().join("secret.txt"), client.join("link.txt")).unwrap();
        assert_eq!(sha256(&client, "policies/mail.pdf"), Some(hex(&Sha256::digest(b"policy"))));
        let absolute = folder.path().join("secret.txt");
        for label in ["../secret.txt", "link.txt", absolute.to_str().unwrap(), "", "missing.pdf", "policies"] {
            assert_eq!(sha256(&client, label), None, "{label}");
        }
    }
}
