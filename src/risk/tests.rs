//! An invented clinic with a small model, computed by hand, and the properties that hold for any.

pub(in crate::risk) mod clinic;
mod loading;
mod properties;
mod sheets;
mod small_organization;
