//! The registers as a page for people, made from their definitions.

use std::fmt::Write as _;

use super::{Column, Condition, Holds, Register, Registers};

/// `docs/registers.md`.
pub fn page(registers: &Registers) -> String {
    let mut out = String::from(HEAD);
    let into = "writing into text";
    writeln!(out, "Version {} of the definitions (`checks/registers.yaml`).", registers.version).expect(into);
    for register in &registers.registers {
        describe(register, &mut out).expect(into);
    }
    out
}

const HEAD: &str = "# Registers
Tables that the organization keeps as CSV files, one file a register, in the folder that `registers:` of scope.yaml names. They hold
ids, roles, days, numbers and words from a list. There is no column for a name or free text, of an account only a keyed reference is kept, and a column that
is not listed here is refused; a short text takes no address and at most 40 characters, and whether it is a role and not a name is for
whoever writes it. Each row is taken or rejected with a reason, and a register with a rejected row passes no check. Every column has
to be there; a value may be empty where it is not required. A comma or a semicolon parts the values; a byte order mark is passed over.

```
mailassay register list
mailassay register template incidents --out registers/
mailassay register schema incidents
mailassay register check registers/
mailassay plan due assessment.json --format ics        # with what the registers call for
```

What is due and not done by its last day is overdue. What was done late counts for a year. The periods without a paragraph are our
own: the rule sets none, and the organization's procedures may ask for shorter ones.

";

fn describe(register: &Register, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "\n## {}.csv\n{}: {}. Speaks of {}.\n",
        register.id,
        register.title,
        register.about,
        register.cites.join(", ")
    )?;
    writeln!(out, "| column | holds | required | |\n|---|---|---|---|")?;
    for column in &register.columns {
        let required = if register.needs(column) { "yes" } else { "" };
        writeln!(
            out,
            "| `{}` | {} | {required} | {} |",
            column.name,
            holds(column),
            column.about.as_deref().unwrap_or_default()
        )?;
    }
    if !register.adverse.is_empty() {
        let all: Vec<_> = register.adverse.iter().map(in_words).collect();
        writeln!(out, "\nShould not be so: {}.", all.join("; "))?;
    }
    for complete in &register.complete {
        let when: Vec<_> = complete.when.iter().map(in_words).collect();
        let when = if when.is_empty() { "always".to_owned() } else { format!("where {}", when.join(" and ")) };
        let with = if complete.with.is_empty() { String::new() } else { format!(" as {}", complete.with.join(" or ")) };
        let needs: Vec<_> = complete.needs.iter().map(|name| format!("`{name}`")).collect();
        writeln!(out, "\nHas to be filled in, {when}: {}{with}.", needs.join(", "))?;
    }
    for clock in &register.clocks {
        writeln!(out, "\nClock: {} ({}).", clock.what, clock.source)?;
    }
    Ok(())
}

fn holds(column: &Column) -> String {
    match column.holds {
        Holds::Account => "an account of the mail system".to_owned(),
        Holds::Code => "a short text".to_owned(),
        Holds::Date => column.not_before.as_ref().map_or_else(
            || "a day, 2026-05-01".to_owned(),
            |earlier| format!("a day, 2026-05-01, not before `{earlier}`"),
        ),
        Holds::Key => "an id".to_owned(),
        Holds::Number => column
            .at_most
            .as_ref()
            .map_or_else(|| "a whole number".to_owned(), |most| format!("a whole number, at most `{most}`")),
        Holds::Sha256 => "a SHA-256".to_owned(),
        Holds::Word => column.words.join(", "),
    }
}

fn in_words(condition: &Condition) -> String {
    let column = &condition.column;
    match (condition.above, condition.given) {
        (Some(most), _) => format!("`{column}` above {most}"),
        (None, Some(true)) => format!("`{column}` given"),
        (None, Some(false)) => format!("`{column}` empty"),
        (None, None) => format!("`{column}` is {}", condition.is.join(" or ")),
    }
}
