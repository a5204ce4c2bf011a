//! Unfinished recordings become whole ones: their bytes, their names, and what must never happen to them.

#[cfg(test)]
mod bytes;
#[cfg(unix)]
#[cfg(test)]
mod files;
#[cfg(test)]
mod harm;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod takes;
