//! One process and its Runtime API.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::sync::oneshot;

use super::cpu::{CpuClock, CpuShare, resident};
use super::program::Program;
use super::runtime_api::{Call, Event, RuntimeApi};

/// No function may take longer to start or to answer. More than Lambda gives them, as other work may slow this machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running function, ready for an event whenever nobody waits in [`Sandbox::invoke`].
#[derive(Debug)]
pub struct Sandbox {
    program: Program,
    child: Child,
    api: RuntimeApi,
    ready: Option<oneshot::Sender<Event>>,
    pid: Pid,
    clock: CpuClock,
    init: Duration,
    events: u64,
    share: Option<CpuShare>,
}

/// What became of an event.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The answer.
    pub reply: Bytes,
    /// From the event being handed over to the answer being there whole.
    pub took: Duration,
    /// From the event being handed over to the function being ready for another; what Lambda bills.
    pub until_ready: Duration,
}

/// Tells what a process has used.
#[derive(Debug, Clone, Copy)]
pub struct Gauge {
    pid: Pid,
    clock: CpuClock,
}

impl Gauge {
    /// What it has used so far.
    ///
    /// # Errors
    ///
    /// When the process is gone.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        Ok(Usage {
            cpu: self.clock.now()?,
            memory: resident(self.pid)?,
        })
    }
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// CPU time of all its threads.
    pub cpu: Duration,
    /// The memory that it has now, in bytes.
    pub memory: u64,
}

impl Sandbox {
    /// Starts a program and waits until it asks for its first event.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or ends or fails before that.
    pub async fn start(program: &Program) -> anyhow::Result<Self> {
        let name = &program.name;
        let api = RuntimeApi::start().await?;
        let mut command = program.command(api.address)?;
        let spawned = Instant::now();
        let child = command.spawn();
        let child =
            child.with_context(|| format!("{} cannot be started", program.path.display()))?;
        let id = child
            .id()
            .with_context(|| format!("{name} ended at once"))?;
        let pid = Pid::from_raw(i32::try_from(id)?);
        let mut sandbox = Self {
            program: program.clone(),
            clock: CpuClock::of(pid)?,
            child,
            api,
            ready: None,
            pid,
            init: Duration::ZERO,
            events: 0,
            share: None,
        };
        sandbox.until_ready().await?;
        sandbox.init = spawned.elapsed();
        Ok(sandbox)
    }

    /// From just before the process was started to its first asking for an event.
    pub fn init(&self) -> Duration {
        self.init
    }

    /// The process.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Holds the process to a share of one CPU from now on, as Lambda does by memory after init: 128 MB are 0.0723.
    ///
    /// # Errors
    ///
    /// When that cannot be done, as without root.
    pub fn hold_to(&mut self, share: f64) -> anyhow::Result<()> {
        self.share = None;
        self.share = Some(CpuShare::hold(self.pid, share)?);
        Ok(())
    }

    /// Gives the function an event and waits until it has answered and is ready for another.
    ///
    /// # Errors
    ///
    /// When it fails, ends or does not answer. The sandbox is of no use then.
    pub async fn invoke(&mut self, event: impl Into<Bytes>) -> anyhow::Result<Invocation> {
        let name = &self.program.name;
        let ready = self.ready.take();
        let ready = ready.with_context(|| format!("{name} is not ready for an event"))?;
        self.events += 1;
        let id = format!("8476a536-e9f4-11e8-9739-{:012x}", self.events);
        let event = Event {
            id: id.clone(),
            body: event.into(),
        };
        let start = Instant::now();
        let gone = |_| anyhow!("{name} hung up while it waited for an event");
        ready.send(event).map_err(gone)?;
        let (reply, arrived) = match self.call().await? {
            Call::Reply(answered, reply, arrived) if answered == id => (reply, arrived),
            Call::Reply(answered, ..) => bail!("An answer to {answered}, not to {id}"),
            Call::Failed(error) => {
                bail!("The function failed: {}", String::from_utf8_lossy(&error))
            }
            Call::Next(_) => bail!("The function asks for an event before it has answered"),
        };
        self.until_ready().await?;
        Ok(Invocation {
            reply,
            took: arrived - start,
            until_ready: start.elapsed(),
        })
    }

    /// What the process has used so far.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        self.gauge().usage()
    }

    /// Tells what the process has used, also while an event is under way.
    pub fn gauge(&self) -> Gauge {
        Gauge {
            pid: self.pid,
            clock: self.clock,
        }
    }

    /// Ends the process and waits until it is gone. Dropping a sandbox does not wait.
    ///
    /// # Errors
    ///
    /// When it cannot be ended.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    async fn until_ready(&mut self) -> anyhow::Result<()> {
        match self.call().await? {
            Call::Next(ready) => self.ready = Some(ready),
            Call::Failed(error) => bail!(
                "{} failed: {}",
                self.program.name,
                String::from_utf8_lossy(&error)
            ),
            Call::Reply(id, ..) => bail!("An answer to {id}, to which nothing is open"),
        }
        Ok(())
    }

    async fn call(&mut self) -> anyhow::Result<Call> {
        let name = &self.program.name;
        tokio::select! {
            biased;
            Some(call) = self.api.calls.recv() => Ok(call),
            status = self.child.wait() => {
                let words = self.program.last_words();
                bail!("{name} ended ({}): {words}", status?)
            }
            () = tokio::time::sleep(PATIENCE) => {
                bail!("{name} said nothing for {} s", PATIENCE.as_secs())
            }
        }
    }
}
