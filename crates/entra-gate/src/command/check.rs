//! `entra-gate check`.

use std::path::Path;

use super::Wrong;
use crate::assertion::SigningKey;
use crate::rules::Rules;

/// Reads a rules file and prints what is in it.
pub(crate) fn check(file: &Path) -> Result<String, Wrong> {
    use std::fmt::Write;

    let text = std::fs::read_to_string(file)
        .map_err(|error| crate::rules::RulesError::unreadable(file, &error))?;
    let rules = Rules::parse(file, &text)?;
    if let Some(table) = &rules.assertion
        && let Some(key) = &table.key_file
    {
        SigningKey::load(key).map_err(|error| table.wrong_key(file, &text, &error.to_string()))?;
    }
    let mut lines = String::new();
    for rule in rules.iter() {
        // Writing to a string does not fail.
        let _ = writeln!(
            lines,
            "{}:{}: {} → {}",
            file.display(),
            rule.line,
            rule.describe(),
            rule.allow.describe()
        );
    }
    for warning in rules.warnings() {
        let _ = writeln!(lines, "warning: {warning}");
    }
    Ok(lines)
}
