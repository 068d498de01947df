//! What the program tests share: the built binary, the demo run once, what the machine has.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The built program.
pub(crate) fn mailassay() -> Command {
    Command::new(env!("CARGO_BIN_EXE_mailassay"))
}

/// Standard output and standard error, for messages.
pub(crate) fn told(output: &Output) -> String {
    format!(
        "{}\n--- stdout\n{}\n--- stderr\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// True where all programs are on the machine. Without them a test fails under `scripts/test`
/// and is skipped, by name, under plain `cargo test`.
pub(crate) fn needs(programs: &[&str]) -> bool {
    let on_path = |program: &&str| {
        let found =
            std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
        found.chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")]).any(|folder| folder.join(program).is_file())
    };
    let missing: Vec<&&str> = programs.iter().filter(|program| !on_path(program)).collect();
    if missing.is_empty() {
        return true;
    }
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(
        std::env::var_os("MAILASSAY_REAL_SERVERS").is_none_or(|value| value != "required"),
        "{test} needs {missing:?}; scripts/test installs them as root"
    );
    eprintln!("skipped: {test}: {missing:?} are not on this machine");
    false
}

/// The demo's output, made once for all tests.
pub(crate) struct Demo {
    folder: tempfile::TempDir,
    pub(crate) output: Output,
}

impl Demo {
    /// The quarters' folders, oldest first.
    pub(crate) fn quarters(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("assessment.json").is_file())
            .collect();
        folders.sort();
        folders
    }
}

/// Runs the demo once.
pub(crate) fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let output = mailassay().arg("demo").arg("--out").arg(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", told(&output));
        Demo { folder, output }
    })
}

/// A stored assessment as plain JSON: what others rely on, not our types.
pub(crate) fn assessment(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder.join("assessment.json")).unwrap()).unwrap()
}
