//! Reads the input of the examples.

use std::io::Read;

/// Reads a file, or standard input for `-`.
pub fn read(file: &str) -> std::io::Result<Vec<u8>> {
    if file != "-" {
        return std::fs::read(file);
    }
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    Ok(text)
}
