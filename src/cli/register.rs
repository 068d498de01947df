//! `register`: which registers there are, their columns and empty tables, and which rows of a file
//! would be taken.

use std::path::Path;

use super::args::{Format, RegisterAction, RegisterCheckArgs, RegisterTemplateArgs};
use super::questionnaire::write_new;
use super::{Failure, Voice, say, say_json};
use crate::catalogues::registers::{Register, Registers};
use crate::collect::registers;
use crate::files;
use crate::keyed::KeyedReference;
use crate::text::visible;
use crate::verdict::Ending;

pub(super) fn run(action: RegisterAction, voice: &Voice) -> Result<Ending, Failure> {
    match action {
        RegisterAction::Check(args) => check(&args),
        RegisterAction::List(args) => list(args.format),
        RegisterAction::Schema { register } => schema(&register),
        RegisterAction::Template(args) => template(&args, voice),
    }
}

fn list(format: Format) -> Result<Ending, Failure> {
    let registers = Registers::built_in().map_err(Failure::usage)?;
    match format {
        Format::Json => {
            let rows = registers.registers.iter().map(|register| {
                serde_json::json!({
                    "register": register.id, "title": register.title, "about": register.about, "cites": register.cites,
                    "columns": register.columns.iter().map(|column| &column.name).collect::<Vec<_>>(),
                })
            });
            say_json(&serde_json::json!({
                "schema": 1, "kind": "registers", "version": registers.version, "registers": rows.collect::<Vec<_>>(),
            }));
        }
        Format::Text => {
            for register in &registers.registers {
                say(&format!(
                    "{}\n  {}: {}\n  {}\n",
                    register.id,
                    register.title,
                    register.about,
                    register.cites.join(", ")
                ));
            }
        }
    }
    Ok(Ending::Clean)
}

fn named(id: &str) -> Result<&'static Register, Failure> {
    registers::named(Path::new(&format!("{}.csv", visible(id))), id).map_err(Failure::usage)
}

fn schema(id: &str) -> Result<Ending, Failure> {
    let register = named(id)?;
    let columns = register.columns.iter().map(|column| {
        serde_json::json!({
            "name": column.name, "holds": column.holds, "required": register.needs(column), "words": column.words,
            "at_most": column.at_most, "not_before": column.not_before, "about": column.about,
        })
    });
    let clocks = register
        .clocks
        .iter()
        .map(|clock| serde_json::json!({ "id": clock.id, "what": clock.what, "source": clock.source }));
    say_json(&serde_json::json!({
        "schema": 1, "kind": "register-schema", "register": register.id, "title": register.title, "about": register.about,
        "cites": register.cites, "row": register.row, "columns": columns.collect::<Vec<_>>(),
        "clocks": clocks.collect::<Vec<_>>(),
    }));
    Ok(Ending::Clean)
}

fn template(args: &RegisterTemplateArgs, voice: &Voice) -> Result<Ending, Failure> {
    let register = named(&args.register)?;
    let names: Vec<&str> = register.columns.iter().map(|column| column.name.as_str()).collect();
    let header = format!("{}\n", names.join(","));
    let Some(folder) = &args.out else {
        say(&header);
        return Ok(Ending::Clean);
    };
    let path = folder.join(format!("{}.csv", register.id));
    write_new(&path, header.as_bytes())?;
    voice.remark(&format!(
        "{}: {} columns; `mailassay register schema {}` says what each holds",
        path.display(),
        names.len(),
        register.id
    ));
    Ok(Ending::Clean)
}

fn check(args: &RegisterCheckArgs) -> Result<Ending, Failure> {
    let mut files = Vec::new();
    for path in &args.paths {
        if path.is_dir() {
            let inside = registers::files_in(path).map_err(Failure::usage)?;
            if inside.is_empty() {
                let what = "there is no register in it: registers are .csv files";
                return Err(Failure::usage(anyhow::anyhow!("{}: {what}", path.display())));
            }
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    let mut all = Vec::new();
    let mut rejected = 0;
    for file in &files {
        let read = read(file)?;
        rejected += read.rejected.len();
        match args.format {
            Format::Json => all.push(serde_json::json!({
                "path": file.display().to_string(), "register": read.name, "rows": read.rows.len(), "rejected": read.rejected,
            })),
            Format::Text => {
                for row in &read.rejected {
                    say(&format!("{}, row {}: rejected: {}\n", file.display(), row.row, row.why));
                }
                say(&format!("{}: {} rows taken, {} rejected\n", file.display(), read.rows.len(), read.rejected.len()));
            }
        }
    }
    if let Format::Json = args.format {
        say_json(&serde_json::json!({ "schema": 1, "kind": "register-check", "files": all }));
    }
    Ok(if rejected > 0 { Ending::Usage } else { Ending::Clean })
}

fn read(file: &Path) -> Result<crate::evidence::declared::RegisterRows, Failure> {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let register = registers::named(file, stem).map_err(Failure::usage)?;
    let text = files::read_text(file, registers::LARGEST).map_err(Failure::usage)?;
    // Nothing is kept, so no key is needed for what would be.
    registers::parse(file, &text, register, &KeyedReference::new(b"not kept")).map_err(Failure::usage)
}
