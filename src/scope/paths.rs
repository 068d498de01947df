//! Paths of a client's folder: relative, and never out of it.

use std::path::{Component, Path, PathBuf};

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
}
