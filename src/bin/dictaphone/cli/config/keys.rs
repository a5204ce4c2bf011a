//! The table `[keys]`: which keys trigger which actions of the screen. Pure.

use clap::ValueEnum as _;

use super::{
    Setting,
    document::{Document, Entry, Value},
};
use crate::{
    message::Failure,
    tui::keymap::{Action, Chord, Clash, Keymap},
};

/// Binds the actions of the table to their keys, and returns what is in force. A key that another action has by default
/// is taken from that action.
///
/// # Errors
/// A usage failure for an action or a key that does not exist, and for a key to which the table gives two meanings at
/// once.
pub(super) fn rebind(keymap: &mut Keymap, document: &Document<'_>, table: &Entry<'_>) -> Result<Vec<Setting>, Failure> {
    let Value::Table(entries) = &table.value else {
        let hint = "write [keys] and below it lines like `record = \"f5\"`";
        return Err(document.failure(table.at, "`keys` is a table", hint));
    };
    let (mut bound, mut settings) = (Vec::new(), Vec::new());
    for entry in entries {
        let action = action(entry.key)
            .map_err(|hint| document.failure(entry.at, format!("the screen has no action `{}`", entry.key), hint))?;
        let chords = chords(entry, document)?;
        let value = chords.iter().map(|chord| chord.name(false)).collect::<Vec<_>>().join(", ");
        settings.push(Setting { key: format!("keys.{}", entry.key), value, line: document.line(entry.at) });
        keymap.rebind(action, &chords);
        bound.push((action, entry.at));
    }
    keymap.give_way(&bound.iter().map(|(action, _)| *action).collect::<Vec<_>>());
    match keymap.clash() {
        Some(clash) => Err(clashing(clash, &bound, document, table.at)),
        None => Ok(settings),
    }
}

fn action(name: &str) -> Result<Action, String> {
    Action::from_str(name, false).map_err(|_| {
        let names: Vec<String> = Action::value_variants().iter().map(|action| action.name()).collect();
        format!("the actions are {}", names.join(", "))
    })
}

/// A key, or a list of them.
fn chords(entry: &Entry<'_>, document: &Document<'_>) -> Result<Vec<Chord>, Failure> {
    let single = std::slice::from_ref(&entry.value);
    let values = if let Value::List(values) = &entry.value { values.as_slice() } else { single };
    let chord = |value: &Value<'_>| {
        let Value::Text(text) = value else {
            let hint = format!("write it as `{} = \"ctrl-x\"` or `[\"x\", \"f2\"]`", entry.key);
            return Err(document.failure(entry.at, format!("`{}` has keys", entry.key), hint));
        };
        Chord::parse(text).map_err(|wrong| document.failure(entry.at, wrong.what, wrong.hint))
    };
    values.iter().map(chord).collect()
}

/// Reported for the line that came last, as the other was there first.
fn clashing(clash: Clash, bound: &[(Action, usize)], document: &Document<'_>, table: usize) -> Failure {
    let last = bound.iter().rev().find(|(action, _)| clash.actions.contains(action));
    let (action, at) = last.copied().unwrap_or((clash.actions[1], table));
    let other = clash.actions.into_iter().find(|other| *other != action).unwrap_or(action);
    document.failure(
        at,
        format!("`{}` already asks for `{}`", clash.key.name(false), other.name()),
        format!("give `{}` another key, or none: `{} = []`", other.name(), other.name()),
    )
}
