//! What the demo needs of the lab: the clinic's folder for a quarter, and the world around it.
//!
//! For each of [`Quarter::ALL`] the demo calls [`lay_out`] on an empty folder, [`start`], scans
//! `scope.yaml` in that folder with [`Lab::network`]'s options and a clock that stands at
//! [`Quarter::as_of`], and writes the result under [`Quarter::label`].

use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, include_dir};

use super::clinic::{self, MailFolder, Quarter, letters, mbox};
use super::{Lab, LabError};
use crate::clock::{Clock, SystemClock, date_of};
use crate::files::{FileError, make_folder, write_whole};

/// What the clinic has on file, by quarter.
static PAPERS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/maple-street-clinic");

/// The scope file in a laid-out folder.
pub const SCOPE: &str = "scope.yaml";

/// The files of the clinic's folder in a quarter, by relative path: papers and mail.
pub fn client_files(quarter: Quarter) -> Vec<(PathBuf, Vec<u8>)> {
    let papers = PAPERS.get_dir(quarter.label()).expect("each quarter has its folder in the fixture");
    let mut files = Vec::new();
    gather(papers, Path::new(quarter.label()), &mut files);
    for (folder, path) in
        [(MailFolder::FrontDesk, "mail/front-desk/Inbox.mbox"), (MailFolder::Scheduling, "mail/scheduling/Inbox.mbox")]
    {
        files.push((PathBuf::from(path), mbox(&letters(folder, quarter)).into_bytes()));
    }
    files.sort();
    files
}

fn gather(folder: &Dir<'_>, root: &Path, into: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(below) => gather(below, root, into),
            DirEntry::File(file) => {
                let path = file.path().strip_prefix(root).expect("a file of a folder lies below it");
                into.push((path.to_owned(), file.contents().to_vec()));
            }
        }
    }
}

/// Writes the clinic's folder for a quarter: `scope.yaml`, exports, mail, answers, registers and
/// agreements. The folder is made where it is not there.
pub fn lay_out(quarter: Quarter, folder: &Path) -> Result<(), FileError> {
    for (path, bytes) in client_files(quarter) {
        let target = folder.join(path);
        make_folder(target.parent().unwrap_or(folder))?;
        write_whole(&target, &bytes)?;
    }
    Ok(())
}

/// Starts the world around the clinic as it was in a quarter.
pub async fn start(quarter: Quarter) -> Result<Lab, LabError> {
    // A TLS client looks at the machine's clock: certificates must hold today as well.
    let present = date_of(SystemClock.now());
    Lab::start(|authority| clinic::world(quarter, present, authority)).await
}
