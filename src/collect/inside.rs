//! Finds and hashes files inside a client's folder, and never leaves it.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::evidence::hex;

/// A file that documents something is at most this large.
const LARGEST: u64 = 512 * 1024 * 1024;

/// Where `label` lies inside `folder`, if it does and is there. Symbolic links are followed only
/// where they stay inside.
pub fn find(folder: &Path, label: &str) -> Option<PathBuf> {
    let label = Path::new(label);
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if label.as_os_str().is_empty() || !label.components().all(plain) {
        return None;
    }
    let folder = folder.canonicalize().ok()?;
    let path = folder.join(label).canonicalize().ok()?;
    path.starts_with(&folder).then_some(path)
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
    fn nothing_outside_the_folder_is_found() {
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
