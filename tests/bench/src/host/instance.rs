//! Runs a process of a function with its own Runtime API.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::sync::oneshot;

use super::cpu::{CpuClock, CpuShare, resident};
use super::program::Program;
use super::runtime_api::{Call, Event, RuntimeApi};

/// The time limit of a start and of an answer. This limit is longer than Lambda's limits, because other programs can
/// slow down this machine.
const TIME_OUT: Duration = Duration::from_secs(60);

/// A running function. It is ready for an event, except during [`Instance::invoke`].
#[derive(Debug)]
pub struct Instance {
    program: Program,
    child: Child,
    api: RuntimeApi,
    ready: Option<oneshot::Sender<Event>>,
    gauge: Gauge,
    init: Duration,
    events: u64,
    share: Option<CpuShare>,
}

#[derive(Debug, Clone)]
pub struct Invocation {
    pub reply: Bytes,
    /// The time from sending the event to receiving the whole answer.
    pub took: Duration,
}

/// Measures a process, even while the process handles an event.
#[derive(Debug, Clone, Copy)]
pub struct Gauge {
    pid: Pid,
    clock: CpuClock,
}

#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// The CPU time of all threads since the start.
    pub cpu: Duration,
    /// The resident memory in bytes.
    pub memory: u64,
}

impl Gauge {
    /// Fails if the process has ended.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        Ok(Usage {
            cpu: self.clock.now()?,
            memory: resident(self.pid)?,
        })
    }
}

impl Instance {
    /// Starts a program and waits until it requests its first event.
    pub async fn start(program: &Program) -> anyhow::Result<Self> {
        let api = RuntimeApi::start().await?;
        let mut command = program.command(api.address)?;
        let spawned = Instant::now();
        let child = command.spawn();
        let child =
            child.with_context(|| format!("{} cannot be started", program.path.display()))?;
        let id = child.id();
        let id = id.with_context(|| format!("{} ended immediately", program.name))?;
        let pid = Pid::from_raw(i32::try_from(id)?);
        let mut instance = Self {
            program: program.clone(),
            gauge: Gauge {
                pid,
                clock: CpuClock::of(pid)?,
            },
            child,
            api,
            ready: None,
            init: Duration::ZERO,
            events: 0,
            share: None,
        };
        instance.until_ready().await?;
        instance.init = spawned.elapsed();
        Ok(instance)
    }

    /// Returns the time from the start of the process to its first request for an event.
    pub fn init(&self) -> Duration {
        self.init
    }

    /// Limits the process to a share of a CPU. After init, Lambda does the same: a function with 128 MB has the share
    /// 0.0723. The limit needs root.
    pub fn limit_cpu(&mut self, share: f64) -> anyhow::Result<()> {
        self.share = None;
        self.share = Some(CpuShare::limit(self.gauge.pid, share)?);
        Ok(())
    }

    /// Sends an event, and waits for the answer and for the request for the next event. After an error, the instance
    /// cannot be used any more.
    pub async fn invoke(&mut self, event: impl Into<Bytes>) -> anyhow::Result<Invocation> {
        let name = self.program.name.clone();
        let ready = self.ready.take();
        let ready = ready.with_context(|| format!("{name} is not ready for an event"))?;
        self.events += 1;
        let id = format!("8476a536-e9f4-11e8-9739-{:012x}", self.events);
        let event = Event {
            id: id.clone(),
            body: event.into(),
        };
        let start = Instant::now();
        let disconnected = |_| anyhow!("{name} disconnected while it waited for an event");
        ready.send(event).map_err(disconnected)?;
        let (reply, arrived) = match self.call().await? {
            Call::Reply(answered, reply, arrived) if answered == id => (reply, arrived),
            Call::Reply(answered, ..) => bail!("{name} answered {answered}, not {id}"),
            Call::Failed(error) => bail!("{name} failed: {}", String::from_utf8_lossy(&error)),
            Call::Next(_) => bail!("{name} requested the next event before its answer"),
        };
        self.until_ready().await?;
        Ok(Invocation {
            reply,
            took: arrived - start,
        })
    }

    /// Fails if the process has ended.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        self.gauge.usage()
    }

    /// Returns a gauge that also works during [`Instance::invoke`].
    pub fn gauge(&self) -> Gauge {
        self.gauge
    }

    /// Ends the process, and waits for its end. Dropping the instance also ends the process, but does not wait.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    async fn until_ready(&mut self) -> anyhow::Result<()> {
        let call = self.call().await?;
        let name = &self.program.name;
        match call {
            Call::Next(ready) => self.ready = Some(ready),
            Call::Failed(error) => bail!("{name} failed: {}", String::from_utf8_lossy(&error)),
            Call::Reply(id, ..) => bail!("{name} answered {id} a second time"),
        }
        Ok(())
    }

    async fn call(&mut self) -> anyhow::Result<Call> {
        let name = &self.program.name;
        tokio::select! {
            biased;
            Some(call) = self.api.calls.recv() => Ok(call),
            status = self.child.wait() => {
                let log = self.program.end_of_log();
                bail!("{name} ended ({}): {log}", status?)
            }
            () = tokio::time::sleep(TIME_OUT) => {
                bail!("{name} sent nothing for {} s", TIME_OUT.as_secs())
            }
        }
    }
}

#[cfg(test)]
impl Instance {
    pub fn pid(&self) -> i32 {
        self.gauge.pid.as_raw()
    }
}
