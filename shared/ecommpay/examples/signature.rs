//! Creates and verifies signatures.
//!
//!     cargo run -q -p ecommpay --example signature -- string|sign|verify --key KEY [--ignore PATH]... FILE|-
//!
//! `string` prints the canonical string, `sign` prints the signature, and `verify` prints `ok` or the reason why the
//! message is refused. `--ignore` leaves out a key at every depth, or a whole path such as `payment:sum`.

mod input;

use std::borrow::Cow;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ecommpay::json::{Limits, Value, parse};
use ecommpay::signature::{canonical, canonical_to_sign, of_message, verify};
use ecommpay::{Keyring, ProjectKey};

#[derive(Parser)]
struct Arguments {
    /// The command
    command: Action,
    /// The project's secret key
    #[arg(long)]
    key: String,
    /// A key or path to leave out
    #[arg(long, value_name = "PATH")]
    ignore: Vec<String>,
    /// The file with the message; - for standard input
    file: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Action {
    /// Print the canonical string
    String,
    /// Print the signature
    Sign,
    /// Verify the signature that the message carries
    Verify,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            println!("refused: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, String> {
    let text = input::read(&arguments.file).map_err(|error| error.to_string())?;
    let key = ProjectKey::new(&arguments.key).map_err(|error| error.to_string())?;
    let message = parse(&text, Limits::CALLBACK).map_err(|error| error.to_string())?;
    let message = without(message, "", &arguments.ignore);
    match arguments.command {
        Action::String => Ok(String::from_utf8_lossy(&canonical(&message)).into_owned()),
        Action::Sign => {
            let canonical = canonical_to_sign(&message).map_err(|error| error.to_string())?;
            Ok(key.sign(&canonical).to_base64())
        }
        Action::Verify => {
            let signature = of_message(&message).ok_or("the message carries no signature")?;
            match verify(&message, &signature, &Keyring::new(key, None)) {
                Some(_) => Ok("ok".to_owned()),
                None => Err("the signature belongs to another message or another key".to_owned()),
            }
        }
    }
}

/// Returns the message without the ignored keys and paths.
fn without<'a>(value: Value<'a>, path: &str, ignored: &[String]) -> Value<'a> {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        _ => format!("{path}:{name}"),
    };
    let is_ignored = |name: &str| {
        ignored
            .iter()
            .any(|ignored| ignored == name || *ignored == below(name))
    };
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(name, _)| !is_ignored(name));
            let walked = kept.map(|(name, member): (Cow<'a, str>, _)| {
                let member = without(member, &below(&name), ignored);
                (name, member)
            });
            Value::Object(walked.collect())
        }
        Value::Array(elements) => {
            let walked = elements.into_iter().enumerate();
            let walked = walked
                .map(|(index, element)| without(element, &below(&index.to_string()), ignored));
            Value::Array(walked.collect())
        }
        scalar => scalar,
    }
}
