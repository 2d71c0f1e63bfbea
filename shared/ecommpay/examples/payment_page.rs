//! Creates a signed link to Payment Page.
//!
//!     cargo run -q -p ecommpay --example payment_page -- --key KEY [--base URL] FILE|-
//!
//! The file holds one JSON object with the platform's parameters. The link has the parameters in the same order.

mod input;

use std::process::ExitCode;

use clap::Parser;
use ecommpay::ProjectKey;
use ecommpay::json::{Limits, parse};
use ecommpay::payment_page::{PAYMENT_PAGE, link};

#[derive(Parser)]
struct Arguments {
    /// The project's secret key
    #[arg(long)]
    key: String,
    /// The address of the page
    #[arg(long, default_value = PAYMENT_PAGE)]
    base: String,
    /// The file with the parameters; - for standard input
    file: String,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(link) => {
            println!("{link}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            println!("refused: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, Box<dyn std::error::Error>> {
    let text = input::read(&arguments.file)?;
    let key = ProjectKey::new(&arguments.key)?;
    Ok(link(
        &arguments.base,
        &parse(&text, Limits::CALLBACK)?,
        &key,
    )?)
}
