//! A reader that stops when one record does not end.

use std::cell::Cell as Shared;
use std::io::{self, Read};
use std::rc::Rc;

/// Counts what was read since the last record ended, and refuses to read on past the limit.
#[derive(Debug)]
pub struct Watched<R> {
    pub inner: R,
    unread: Rc<Shared<u64>>,
    limit: u64,
}

/// Tells a [`Watched`] reader that a record ended.
#[derive(Clone, Debug)]
pub struct RecordEnd(Rc<Shared<u64>>);

impl RecordEnd {
    /// Starts counting anew.
    pub fn mark(&self) {
        self.0.set(0);
    }
}

impl<R: Read> Watched<R> {
    /// Watches `inner`; no record may be longer than `limit` bytes, within a buffer's size.
    pub fn new(inner: R, limit: u64) -> (Self, RecordEnd) {
        let unread = Rc::new(Shared::new(0));
        (Self { inner, unread: Rc::clone(&unread), limit }, RecordEnd(unread))
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.unread.get() > self.limit {
            let why = format!("a record is longer than {} bytes: a quote or an element may be open", self.limit);
            return Err(io::Error::other(why));
        }
        let read = self.inner.read(into)?;
        self.unread.set(self.unread.get() + read as u64);
        Ok(read)
    }
}
