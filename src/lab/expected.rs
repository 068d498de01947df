//! What an examination of the clinic must find.
