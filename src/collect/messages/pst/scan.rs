//! Goes through a mailbox file for the scan: its folders as folders of the mailbox, its messages in
//! batches, as those of an mbox.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::super::mapi::Why;
use super::super::read::Waiting;
use super::super::source::{Format, shown};
use super::super::{BATCH_BYTES, BATCH_MESSAGES, FileCount, NOT_IN_SAMPLE, Run, digest_of, unreadable};
use super::{EXHAUSTED, Folder, Pst};

/// A reader that failed on a file's own structure.
const FAULT: Why = "reader-fault";

/// How many messages the file has, as they are numbered when they are read.
pub(in super::super) fn messages_in(path: &Path) -> u64 {
    let Ok(file) = fs::File::open(path) else { return 0 };
    // What cannot be read now is not read later either.
    catch_unwind(|| Pst::open(file).map_or(0, |mut pst| pst.count())).unwrap_or(0)
}

impl Run<'_> {
    /// Reads a mailbox file whose folders stand below `folder`.
    pub(in super::super) fn pst(&mut self, mailbox: &str, folder: &str, label: &str, path: &Path) {
        let (file, digest) = match fs::File::open(path).and_then(|file| Ok((file, digest_of(fs::File::open(path)?)?))) {
            Ok(opened) => opened,
            Err(error) => return self.file(label, Err(unreadable(&error))),
        };
        let mut count = FileCount { messages: 0, not_inspected: BTreeMap::new() };
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let mut pst = Pst::open(file)?;
            let folders = pst.folders();
            Ok((pst, folders))
        }));
        let complete = match opened.unwrap_or(Err(FAULT)) {
            Ok((mut pst, found)) => {
                for why in &found.not_inspected {
                    *count.not_inspected.entry((*why).to_owned()).or_default() += 1;
                }
                let mut whole = found.not_inspected.is_empty();
                let mut number = 0;
                for inner in found.folders {
                    let name = name_of(folder, &inner, &self.options.key.0);
                    whole &= self.pst_folder(mailbox, (&name, label), (&mut pst, &inner), &mut number, &mut count);
                }
                whole && !count.not_inspected.contains_key(NOT_IN_SAMPLE)
            }
            Err(why) => {
                count.not_inspected.insert(why.to_owned(), 1);
                false
            }
        };
        let (sha256, bytes) = digest;
        self.counted(label, Format::Pst, bytes, sha256, count, complete);
    }

    /// Whether the file could be read on to the folder's end.
    fn pst_folder(
        &mut self,
        mailbox: &str,
        (folder, label): (&str, &str),
        (pst, inner): (&mut Pst<fs::File>, &Folder),
        number: &mut u64,
        count: &mut FileCount,
    ) -> bool {
        // A folder without messages was still looked at.
        let tally = self.folders.entry((mailbox.to_owned(), folder.to_owned())).or_default();
        if let Some((why, messages)) = inner.lost {
            tally.lose(why, messages);
            *count.not_inspected.entry(why.to_owned()).or_default() += messages;
            if self.choice.is_some() {
                self.sampled.entry(mailbox.to_owned()).or_default().lost += messages;
            }
        }
        let mut whole = inner.lost.is_none();
        let mut messages = inner.messages.iter();
        loop {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while bytes < BATCH_BYTES && batch.len() < BATCH_MESSAGES {
                let Some(node) = messages.next().copied() else { break };
                *number += 1;
                if !self.examines(mailbox, *number, count) {
                    continue;
                }
                let mail = catch_unwind(AssertUnwindSafe(|| pst.message(node))).unwrap_or(Err(FAULT));
                whole &= !matches!(mail, Err("read-error" | EXHAUSTED));
                bytes += mail.as_ref().map_or(0, Vec::len);
                batch.push(Waiting::OfNode { mail, node });
            }
            if batch.is_empty() {
                return whole;
            }
            self.judge(mailbox, folder, label, batch, count);
        }
    }
}

fn name_of(below: &str, folder: &Folder, key: &[u8; 32]) -> String {
    let names = folder.path.iter().map(|name| shown(name, key)).filter(|name| !name.is_empty());
    std::iter::once(below.to_owned()).chain(names).collect::<Vec<_>>().join("/")
}
