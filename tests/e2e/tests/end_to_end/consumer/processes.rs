//! Finds and kills the processes of a function.

use std::time::Duration;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbox::Ready;
use tokio::time::sleep;

pub struct FunctionProcesses {
    /// The environment variables that only these processes have.
    variables: [String; 2],
}

impl FunctionProcesses {
    pub fn of(ready: &Ready, function: &str) -> anyhow::Result<Self> {
        let name = ready
            .functions
            .get(function)
            .with_context(|| format!("the sandbox has no function {function}"))?;
        Ok(Self {
            variables: [
                format!("AWS_LAMBDA_FUNCTION_NAME={name}"),
                format!("AWS_ENDPOINT_URL={}", ready.aws_endpoint),
            ],
        })
    }

    /// Kills the processes again and again until `work` ends. Returns the number of kills.
    pub async fn kill_during(
        &self,
        work: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<u32> {
        let mut kills = 0;
        let killing = async {
            // With different pauses, the processes are killed at different steps. Some pauses are long enough for the
            // start of a process on a busy machine.
            for pause in (20..).step_by(37).map(|millis| millis % 1000) {
                sleep(Duration::from_millis(pause)).await;
                for process in self.find() {
                    kills += u32::from(kill(process, Signal::SIGKILL).is_ok());
                }
            }
        };
        tokio::select! {
            done = work => done?,
            () = killing => {}
        }
        Ok(kills)
    }

    fn find(&self) -> Vec<Pid> {
        let processes = std::fs::read_dir("/proc").into_iter().flatten();
        processes
            .filter_map(|process| process.ok()?.file_name().to_str()?.parse().ok())
            .filter(|process: &i32| {
                let environment = std::fs::read(format!("/proc/{process}/environ"));
                let environment = environment.unwrap_or_default();
                let has = |variable: &String| {
                    let mut all = environment.split(|byte| *byte == 0);
                    all.any(|one| one == variable.as_bytes())
                };
                self.variables.iter().all(has)
            })
            .map(Pid::from_raw)
            .collect()
    }
}
