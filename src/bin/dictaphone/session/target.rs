//! The name of each file of a recording.

use std::path::PathBuf;

use dictaphone::storage::place;
use jiff::Zoned;

use crate::{
    message::{Failure, Remedy},
    plan::{self, Record, Target},
};

/// The file of that number, named by the time of `at`.
///
/// # Errors
/// When the template makes no name out of that time.
pub(super) fn of(plan: &Record, number: u32, at: &Zoned) -> Result<Option<PathBuf>, Failure> {
    match &plan.target {
        Target::Stdout => Ok(None),
        Target::File(path, _) if plan.steps.numbers_files() => Ok(Some(plan::numbered(path, number))),
        Target::File(path, _) => Ok(Some(place::numbered(path, number))),
        Target::NewIn(folder, template) => {
            let file = |name: &str| folder.join(format!("{name}.{}", plan.container.extension()));
            let name = template.choose(at, |name| file(name).exists()).map_err(|wrong| {
                Failure::usage(wrong.what, Remedy::Flag("`--name` takes strftime fields and {n}".to_owned()))
            })?;
            Ok((1..).map(|number| place::numbered(&file(&name), number)).find(|path| !path.exists()))
        }
    }
}
