//! What the functions stand on here: the stubs, and the variables that lead to them.

use std::path::PathBuf;

use anyhow::Context;
use tempfile::TempDir;

use crate::host::Program;
use crate::stubs::{self, Stubs};

/// The secret of the project's key.
pub const KEY: &str = "bench-project-key";
/// The project.
pub const PROJECT: u64 = 211;
const PROJECT_KEYS: &str = "project-keys";
const TOKEN_SECRET: &str = "token-secret";

/// The hosts of AWS that the functions call when they are deployed.
pub const AWS_HOSTS: [&str; 3] = [
    "dynamodb.eu-west-1.amazonaws.com",
    "sqs.eu-west-1.amazonaws.com",
    "secretsmanager.eu-west-1.amazonaws.com",
];
/// That of the platform.
pub const GATE_HOST: &str = "api.ecommpay.com";

/// The variables that the template gives to all functions.
pub const COMMON: [(&str, &str); 7] = [
    ("TABLE_NAME", "payments"),
    ("METRICS_NAMESPACE", "Bancontact/bench"),
    ("STATUS_POLL_DELAYS", "60,120,300,900,3600,21600,86400"),
    ("REDIRECT_POLL_DELAY_SECONDS", "12"),
    ("STATUS_POLL_MAX_AGE_SECONDS", "2678400"),
    ("CHECKOUT_GRACE_SECONDS", "3600"),
    ("CUSTOMER_RETENTION_SECONDS", "2678400"),
];
const EVENT_QUEUES: &str = r#"[{"url":"https://sqs.eu-west-1.amazonaws.com/123456789012/fulfilment.fifo","types":["payment.succeeded","payment.declined","payment.quarantined","payment.unmatched","payment.overrefunded","payment.awaiting_confirmation","checkout.expired","refund.returned","refund.pending","refund.succeeded","refund.declined","refund.unknown","order.paid_twice"]},{"url":"https://sqs.eu-west-1.amazonaws.com/123456789012/audit.fifo"}]"#;

/// Whom the functions call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The stubs at ports of their own, by the variables that SDKs have for it. All of AWS is one host then, so there
    /// are fewer connections than when deployed: good for counting calls, not for timing.
    Ports,
    /// The hosts that a deployed function calls; needs [`isolated`](crate::isolated).
    Hosts,
}

/// Stubs, and the certificates to reach them.
#[derive(Debug)]
pub struct World {
    /// What is called.
    pub stubs: Stubs,
    way: Way,
    gate_url: String,
    folder: TempDir,
}

impl World {
    /// Starts the stubs, with the secrets that the functions fetch.
    ///
    /// # Errors
    ///
    /// When a port is taken, or the temporary folder cannot be written.
    pub fn start(way: Way, options: stubs::Options) -> anyhow::Result<Self> {
        let options = match way {
            Way::Ports => options,
            Way::Hosts => stubs::Options {
                aws: ([127, 0, 0, 1], 443).into(),
                // Another address of this machine, as the names lead there.
                gate: if options.gate_tls {
                    ([127, 0, 0, 2], 443).into()
                } else {
                    ([127, 0, 0, 1], 8080).into()
                },
                ..options
            },
        };
        let stubs = Stubs::start(&options)?;
        let keys = format!(r#"{{"{PROJECT}":{{"current":"{KEY}"}}}}"#);
        stubs.keep_secret(PROJECT_KEYS, &keys);
        stubs.keep_secret(TOKEN_SECRET, &"s".repeat(64));
        let gate_url = match (way, options.gate_tls) {
            (Way::Hosts, true) => format!("https://{GATE_HOST}"),
            (Way::Ports, true) => format!("https://localhost:{}", stubs.gate.port()),
            (_, false) => format!("http://{}", stubs.gate),
        };
        let folder = tempfile::tempdir().context("There is no folder for temporary files")?;
        std::fs::write(folder.path().join("roots.pem"), stubs::roots())?;
        std::fs::write(folder.path().join("root.pem"), stubs::ROOT)?;
        Ok(Self {
            stubs,
            way,
            gate_url,
            folder,
        })
    }

    /// A file that ends with this.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Gives a program the variables of the template, and those by which it finds and trusts the stubs. Every function
    /// has those of all.
    pub fn equip(&self, mut program: Program) -> Program {
        let file = |name: &str| self.file(name).display().to_string();
        let own = [
            ("EVENT_QUEUES", EVENT_QUEUES.to_owned()),
            ("PROJECT_KEYS_SECRET", PROJECT_KEYS.into()),
            ("TOKEN_SECRET", TOKEN_SECRET.into()),
            ("GATE_URL", self.gate_url.clone()),
            (
                "PAYMENT_PAGE_URL",
                "https://paymentpage.ecommpay.com/payment".into(),
            ),
            ("PAYMENT_PAGE_LANGUAGES", "en,fr,de".into()),
            ("PAYMENT_PAGE_RETRIES", "false".into()),
            ("PUBLIC_BASE_URL", "https://pay.shop.example".into()),
            // What OpenSSL, boto3 and Node ask for further roots.
            ("SSL_CERT_FILE", file("roots.pem")),
            ("AWS_CA_BUNDLE", file("roots.pem")),
            ("NODE_EXTRA_CA_CERTS", file("root.pem")),
        ];
        let common = COMMON.map(|(name, value)| (name, value.to_owned()));
        let variables = common.into_iter().chain(own);
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        program.variables.extend(variables);
        if self.way == Way::Ports {
            let url = format!("https://localhost:{}", self.stubs.aws.port());
            program = program.with("AWS_ENDPOINT_URL", url);
        }
        program
    }
}
