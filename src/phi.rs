//! Text that may hold health information, wrapped so that it cannot slip out.
//!
//! The wrapper has no `Display` and no `Serialize`, and its `Debug` says nothing of what is inside.
//! Reading it takes a call that names itself: [`Phi::expose`]. It refuses to be cloned, so that
//! every copy is a decision.

use std::fmt;

/// Something that may hold health information.
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Wraps `inner`.
    pub const fn new(inner: T) -> Self {
        Self(inner)
    }

    /// What is inside. Whoever calls this keeps it out of logs, errors, reports and files.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// As [`Self::expose`], for changing it in place.
    pub const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> fmt::Debug for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹redacted›")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_nothing_even_inside_other_types() {
        let wrapped = vec![Phi::new("invented 219-09-0001")];
        assert_eq!(format!("{:?}", Some(&wrapped)), "Some([‹redacted›])");
        assert_eq!(wrapped[0].expose().len(), 20);
    }
}
