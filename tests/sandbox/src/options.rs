//! Defines the options of a sandbox, and parses the command line.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::rehearsal::Rehearsal;

/// The command line.
#[derive(Clone, Debug, Parser)]
#[command(
    bin_name = "cargo run --",
    disable_help_subcommand = true,
    args_override_self = true,
    about = "Runs the functions in a local AWS, with a simulated platform and a demo shop around them"
)]
pub struct CommandLine {
    /// The sandbox's options.
    #[command(flatten)]
    pub options: Options,
    /// What the program does after the start of the sandbox.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program does after the start of the sandbox. Without a command, the program waits for Ctrl-C.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run a command, then stop. SANDBOX_READY has the path of ready.json, which lists addresses and names
    Exec {
        /// The command and its arguments
        #[arg(
            required = true,
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "CMD"
        )]
        command: Vec<OsString>,
    },
    /// Play against a consumer what can happen to it, and check what it did. This needs no sandbox
    Rehearse(Box<Rehearsal>),
}

/// The options of a sandbox. Without a port, or with port 0, any free port is used.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Port of the API [default: 8080; with exec any free port]
    #[arg(long)]
    pub port: Option<u16>,
    /// Port of the demo shop [default: 8081; with exec any free port]
    #[arg(long)]
    pub shop_port: Option<u16>,
    /// Port of the simulated platform [default: 8082; with exec any free port]
    #[arg(long)]
    pub platform_port: Option<u16>,
    /// Project id at the platform
    #[arg(long, default_value_t = 211, value_parser = clap::value_parser!(u32).range(1..))]
    pub project: u32,
    /// The project's secret key
    #[arg(long, default_value = "test-secret-key", value_parser = NonEmptyStringValueParser::new())]
    pub key: String,
    /// Deploy the sample consumer. The sample consumer, not the demo shop, then reads the fulfilment queue
    #[arg(long)]
    pub sample_consumer: bool,
    /// Do not deploy the functions that post events to the endpoints of storefronts
    #[arg(long = "no-webhooks", action = ArgAction::SetFalse)]
    pub webhooks: bool,
    /// Let the demo shop act on events that are posted to its endpoint. It then reads no queue
    #[arg(long, conflicts_with = "webhooks")]
    pub webhook_shop: bool,
    /// Divide the times of a payment's schedule (poll delays, deadlines, retention of customer data), and the delays of
    /// retries of events, by this number
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub divide_times: u32,
    /// The template to deploy; by default infra/template.yaml
    #[arg(long, hide = true)]
    pub template: Option<PathBuf>,
    /// Values for parameters of the template. These values replace the sandbox's own values
    #[arg(skip)]
    pub parameters: BTreeMap<String, String>,
    /// Whether `infra/deploy.py` deploys the stack, which takes longer than `deploy.py` of the sandbox
    #[arg(skip)]
    pub by_script: bool,
    /// Whether the sandbox prints each call of the API
    #[arg(skip)]
    pub follow: bool,
    /// The address that the functions call instead of the local AWS. A test puts a proxy there
    #[arg(skip)]
    pub functions_endpoint: Option<String>,
}

impl Options {
    /// Returns options for tests. The sandbox uses any free ports, so that several sandboxes can run at the same time.
    /// If the variable `DEPLOY_BY_SCRIPT` is set, `infra/deploy.py` deploys the stack. Without webhooks, a test needs
    /// fewer processes.
    pub fn any_ports() -> Self {
        Self {
            port: None,
            shop_port: None,
            platform_port: None,
            project: 211,
            key: "test-secret-key".to_owned(),
            sample_consumer: false,
            webhooks: false,
            webhook_shop: false,
            divide_times: 1,
            template: None,
            parameters: BTreeMap::new(),
            by_script: std::env::var_os("DEPLOY_BY_SCRIPT").is_some(),
            follow: false,
            functions_endpoint: None,
        }
    }

    /// Sets the options for interactive use: the default ports, and the output of each call.
    fn interactive(mut self) -> Self {
        self.port.get_or_insert(8080);
        self.shop_port.get_or_insert(8081);
        self.platform_port.get_or_insert(8082);
        self.follow = true;
        self
    }
}

/// Parses the command line. An error has the text to print and the exit status, which is 0 for `--help`.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<CommandLine, (String, u8)> {
    CommandLine::command()
        .try_get_matches_from(arguments)
        .and_then(|matches| CommandLine::from_arg_matches(&matches))
        .map(|line| match line.command {
            Some(_) => line,
            None => CommandLine {
                options: line.options.interactive(),
                ..line
            },
        })
        .map_err(|error| {
            let text = error.to_string();
            if !error.use_stderr() {
                return (text, 0);
            }
            let sentence = text.split("\n\n").next().unwrap_or(&text);
            let words: Vec<&str> = sentence.split_whitespace().collect();
            let sentence = words.join(" ");
            let sentence = sentence.strip_prefix("error: ").unwrap_or(&sentence);
            (format!("{sentence}; --help lists the options"), 2)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<CommandLine, (String, u8)> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_ports_and_the_project_have_the_documented_defaults() {
        let options = parsed("sandbox").unwrap().options;
        assert_eq!(
            (options.port, options.shop_port, options.platform_port),
            (Some(8080), Some(8081), Some(8082))
        );
        assert_eq!(
            (options.project, options.key.as_str()),
            (211, "test-secret-key")
        );
        assert!(!options.sample_consumer && options.webhooks);
        let line = parsed("sandbox --no-webhooks").unwrap();
        assert!(!line.options.webhooks);
        let line = parsed("sandbox --webhook-shop").unwrap();
        assert!(line.options.webhook_shop && line.options.webhooks);
        assert!(
            parsed("sandbox --sample-consumer")
                .unwrap()
                .options
                .sample_consumer
        );
    }

    #[test]
    fn all_arguments_after_exec_belong_to_the_command() {
        let line = parsed("sandbox --port 9 exec pytest -x --port 1 -- a").unwrap();
        let Some(Command::Exec { command }) = line.command else {
            panic!("no command")
        };
        assert_eq!(
            command,
            ["pytest", "-x", "--port", "1", "--", "a"].map(OsString::from)
        );
        assert_eq!((line.options.port, line.options.shop_port), (Some(9), None));
    }

    #[test]
    fn a_wrong_command_line_is_refused_with_one_sentence() {
        for line in [
            "sandbox --prot 1",
            "sandbox --port 70000",
            "sandbox --project x",
            "sandbox --project 0",
            "sandbox --webhook-shop --no-webhooks",
            "sandbox exec",
            "sandbox run",
        ] {
            let (sentence, status) = parsed(line).unwrap_err();
            assert_eq!(status, 2, "{line}");
            assert!(
                !sentence.contains('\n') && sentence.len() > 30,
                "{line}: {sentence}"
            );
        }
        let (sentence, _) = parsed("sandbox --prot 1").unwrap_err();
        assert!(sentence.contains("--prot"), "{sentence}");
        let (sentence, status) = parse(["sandbox", "--key", ""].map(OsString::from)).unwrap_err();
        assert_eq!(status, 2, "{sentence}");
    }

    #[test]
    fn help_has_exit_status_0() {
        let (text, status) = parsed("sandbox --help").unwrap_err();
        assert_eq!(status, 0);
        assert!(text.contains("--platform-port"));
    }
}
