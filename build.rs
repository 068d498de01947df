//! Checks and templates are embedded in the program; a file that is added or removed must rebuild it.

fn main() {
    println!("cargo::rerun-if-changed=checks");
    println!("cargo::rerun-if-changed=report-templates");
    println!("cargo::rerun-if-changed=build.rs");
}
