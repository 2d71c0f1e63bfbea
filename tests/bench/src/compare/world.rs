//! Starts the stubs, and prepares the environment of the measured functions.

use std::path::PathBuf;

use anyhow::Context;
use tempfile::TempDir;

use crate::host::Program;
use crate::settings;
use crate::stubs::{ROOT, Stubs};

/// The system's root certificates on several Linux distributions.
const SYSTEM_ROOTS: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoints {
    /// The hosts that a deployed function calls. These hosts resolve to the stubs only in the namespace of
    /// [`isolated`](crate::isolated).
    Deployed,
    /// A port of this machine. All services have the same host, so a function opens fewer connections than on AWS.
    #[cfg(test)]
    Local,
}

/// The running stubs, with a folder for certificates and logs.
#[derive(Debug)]
pub struct World {
    pub stubs: Stubs,
    endpoints: Endpoints,
    folder: TempDir,
}

impl World {
    /// Starts the stubs.
    pub fn start(endpoints: Endpoints) -> anyhow::Result<Self> {
        let port = match endpoints {
            Endpoints::Deployed => 443,
            #[cfg(test)]
            Endpoints::Local => 0,
        };
        let folder = tempfile::tempdir().context("there is no temporary folder")?;
        let mut system = SYSTEM_ROOTS.iter();
        let system = system.find_map(|path| std::fs::read_to_string(path).ok());
        let roots = format!("{}\n{ROOT}", system.unwrap_or_default());
        std::fs::write(folder.path().join("roots.pem"), roots)?;
        std::fs::write(folder.path().join("root.pem"), ROOT)?;
        Ok(Self {
            stubs: Stubs::start(([127, 0, 0, 1], port).into())?,
            endpoints,
            folder,
        })
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Adds the log and the template's variables to a program. Also adds variables that make the program trust the
    /// stubs' certificates.
    pub fn equip(&self, mut program: Program) -> anyhow::Result<Program> {
        program.log = Some(self.file("log"));
        program
            .variables
            .extend(settings::variables(&program.name)?);
        if self.endpoints != Endpoints::Deployed {
            let url = format!("https://localhost:{}", self.stubs.address.port());
            program = program
                .with("AWS_ENDPOINT_URL", &url)
                .with("GATE_URL", &url);
        }
        // Our functions and OpenSSL read the first variable, boto3 reads the second, and Node reads the third.
        let file = |name: &str| self.file(name).display().to_string();
        Ok(program
            .with("SSL_CERT_FILE", file("roots.pem"))
            .with("AWS_CA_BUNDLE", file("roots.pem"))
            .with("NODE_EXTRA_CA_CERTS", file("root.pem")))
    }
}
