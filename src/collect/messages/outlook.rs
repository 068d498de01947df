//! Reads Outlook's single messages (`.msg`): a compound file whose streams hold the properties of the
//! message, of its recipients and of its attachments ([MS-CFB], [MS-OXMSG]).
//!
//! It gives properties; `mapi` makes mail of them. Every size is bounded; what goes beyond is said,
//! not cut quietly.

use std::io::{Cursor, Read};

use super::mapi::{self, Attached, BYTES, PARTS, Properties, UNREADABLE_PART, Why, id};

/// The first bytes of a compound file.
pub(super) const MAGIC: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// The message as mail; the error is the reason for not looking into it.
pub fn to_mail(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    within(bytes, BYTES)
}

fn within(bytes: &[u8], left: usize) -> Result<Vec<u8>, &'static str> {
    let file = cfb::CompoundFile::open(Cursor::new(bytes)).map_err(|_| "unreadable")?;
    if !file.is_stream("/__properties_version1.0") {
        return Err("legacy-office");
    }
    let mut reader = Reader { file, left };
    let message = reader.storage(String::new(), 32)?;
    let mut out = Vec::new();
    mapi::write(&mut reader, &message, &mut out)?;
    Ok(out)
}

struct Reader<'b> {
    file: cfb::CompoundFile<Cursor<&'b [u8]>>,
    /// Bytes that may still be read, or made of attached messages.
    left: usize,
}

/// A storage with the properties of one thing.
struct Storage {
    path: String,
    /// The properties of fixed length: tag and value.
    fixed: Vec<(u32, u64)>,
}

impl Properties for Reader<'_> {
    type Object = Storage;

    fn number(&self, of: &Storage, id: u16) -> Option<u64> {
        of.fixed.iter().find(|(tag, _)| tag >> 16 == u32::from(id)).map(|(_, value)| *value)
    }

    fn text(&mut self, of: &Storage, id: u16, code_page: u16) -> Result<Option<String>, Why> {
        if let Some(bytes) = self.stream(&format!("{}/__substg1.0_{id:04X}001F", of.path))? {
            return Ok(Some(mapi::unicode(&bytes)));
        }
        let bytes = self.stream(&format!("{}/__substg1.0_{id:04X}001E", of.path))?;
        Ok(bytes.map(|bytes| mapi::decoded(&bytes, code_page)))
    }

    fn bytes(&mut self, of: &Storage, id: u16) -> Result<Option<Vec<u8>>, Why> {
        self.stream(&format!("{}/__substg1.0_{id:04X}0102", of.path))
    }

    fn recipients(&mut self, of: &Storage) -> Result<Vec<Storage>, Why> {
        self.storages(&of.path, "__recip_version1.0_#")
    }

    fn attachments(&mut self, of: &Storage) -> Result<Vec<Storage>, Why> {
        self.storages(&of.path, "__attach_version1.0_#")
    }

    fn attached(&mut self, of: &Storage) -> Result<Attached<Storage>, Why> {
        let inner = format!("{}/__substg1.0_{:04X}000D", of.path, id::ATTACH_DATA);
        if !self.file.is_storage(&inner) {
            return Ok(Attached::File);
        }
        if !self.file.is_stream(format!("{inner}/__properties_version1.0")) {
            return Ok(Attached::Object);
        }
        Ok(Attached::Message(self.storage(inner, 24)?))
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Why> {
        self.left = self.left.checked_sub(bytes).ok_or("too-large")?;
        Ok(())
    }
}

impl Reader<'_> {
    /// The storage at a path, whose properties of fixed length stand behind a head of so many bytes.
    fn storage(&mut self, path: String, head: usize) -> Result<Storage, Why> {
        let bytes = self.stream(&format!("{path}/__properties_version1.0"))?.unwrap_or_default();
        let rows = bytes.get(head..).unwrap_or_default().chunks_exact(16).take(PARTS);
        let row = |row: &[u8]| {
            let tag = u32::from_le_bytes([row[0], row[1], row[2], row[3]]);
            let value = u64::from_le_bytes(*row.last_chunk::<8>().expect("a row has 16 bytes"));
            // Types of four bytes leave the other half undefined.
            (tag, if tag & 0xffff == 0x0003 { value & 0xffff_ffff } else { value })
        };
        Ok(Storage { fixed: rows.map(row).collect(), path })
    }

    /// The storages of a folder whose names begin so, sorted.
    fn storages(&mut self, at: &str, begin: &str) -> Result<Vec<Storage>, Why> {
        let folder = if at.is_empty() { "/" } else { at };
        let entries = self.file.read_storage(folder).map_err(|_| UNREADABLE_PART)?;
        let mut found: Vec<String> = entries
            .filter(|entry| entry.is_storage() && entry.name().starts_with(begin))
            .map(|entry| format!("{at}/{}", entry.name()))
            .take(PARTS + 1)
            .collect();
        if found.len() > PARTS {
            return Err("too-many-parts");
        }
        found.sort();
        found.into_iter().map(|path| self.storage(path, 8)).collect()
    }

    fn stream(&mut self, path: &str) -> Result<Option<Vec<u8>>, Why> {
        if !self.file.is_stream(path) {
            return Ok(None);
        }
        let stream = self.file.open_stream(path).map_err(|_| UNREADABLE_PART)?;
        let mut bytes = Vec::new();
        stream.take(self.left as u64 + 1).read_to_end(&mut bytes).map_err(|_| UNREADABLE_PART)?;
        self.spend(bytes.len())?;
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests;
