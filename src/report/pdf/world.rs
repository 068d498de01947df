//! What the typst compiler may see: our templates, our fonts, one file of values. Nothing else
//! exists for it: no disk, no network, no packages, no clock.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

use crate::report::templates;

/// The name under which templates read the values.
const VALUES: &str = "page.json";
/// The name under which they read the logo of a theme.
const LOGO: &str = "logo";

/// The fonts of the program.
pub(super) static FONTS: LazyLock<Vec<Font>> =
    LazyLock::new(|| typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data))).collect());
static BOOK: LazyLock<LazyHash<FontBook>> = LazyLock::new(|| LazyHash::new(FontBook::from_fonts(FONTS.iter())));
static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

/// One compilation.
pub(super) struct TemplateWorld {
    main: FileId,
    values: Bytes,
    logo: Option<Bytes>,
}

impl TemplateWorld {
    /// The world in which `main` is set with these values, and a logo where there is one.
    pub(super) fn new(main: &str, values: Vec<u8>, logo: Option<&[u8]>) -> Self {
        Self { main: id(main), values: Bytes::new(values), logo: logo.map(|bytes| Bytes::new(bytes.to_vec())) }
    }
}

fn id(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("our names are plain file names");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

fn text(id: FileId) -> FileResult<&'static str> {
    let path = id.vpath().get_without_slash();
    templates::typst()
        .find(|(name, _)| *id.root() == VirtualRoot::Project && *name == path)
        .map(|(_, text)| text)
        .ok_or_else(|| FileError::NotFound(path.into()))
}

impl World for TemplateWorld {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &BOOK
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        text(id).map(|text| Source::new(id, text.to_owned()))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if *id.root() == VirtualRoot::Project && id.vpath().get_without_slash() == VALUES {
            return Ok(self.values.clone());
        }
        if *id.root() == VirtualRoot::Project
            && id.vpath().get_without_slash() == LOGO
            && let Some(logo) = &self.logo
        {
            return Ok(logo.clone());
        }
        text(id).map(|text| Bytes::new(text.as_bytes()))
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.get(index).cloned()
    }

    /// A document that asked the clock would differ tomorrow.
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
