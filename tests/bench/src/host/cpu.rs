//! What a process uses, and how little of a CPU it gets.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

/// The length in which a share is counted, as on Lambda.
const PERIOD: Duration = Duration::from_millis(20);

/// Linux takes no quota of less than 1 ms.
const LEAST_SHARE: f64 = 0.05;

/// The CPU time of a process, with all its threads that are or ever were.
#[derive(Debug, Clone, Copy)]
pub(super) struct CpuClock(ClockId);

impl CpuClock {
    pub(super) fn of(pid: Pid) -> anyhow::Result<Self> {
        let clock = clock_getcpuclockid(pid);
        Ok(Self(clock.context("A process has no CPU clock")?))
    }

    /// The time so far.
    pub(super) fn now(self) -> anyhow::Result<Duration> {
        let now = self.0.now();
        Ok(now.context("A process' CPU clock cannot be read")?.into())
    }
}

/// The memory of a process that is in use, in bytes.
pub(super) fn resident(pid: Pid) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kibibytes.context("A process does not tell its memory")? * 1024)
}

/// A control group that holds one process to a share of a CPU; dropping it, when the process is gone, removes it.
#[derive(Debug)]
pub(super) struct CpuShare(PathBuf);

impl CpuShare {
    /// Holds a process to that share of one CPU from now on.
    pub(super) fn hold(pid: Pid, share: f64) -> anyhow::Result<Self> {
        ensure!(
            share >= LEAST_SHARE,
            "The least share of a CPU is {LEAST_SHARE}, not {share}"
        );
        Self::try_hold(pid, share).context(
            "A process cannot be held to a share of a CPU: that needs root and a cpu control group (Linux)",
        )
    }

    fn try_hold(pid: Pid, share: f64) -> anyhow::Result<Self> {
        let quota = PERIOD.mul_f64(share);
        let (quota, period) = (quota.as_micros(), PERIOD.as_micros());
        let mounted = Path::new("/sys/fs/cgroup");
        let first = mounted.join("cpu");
        if first.join("cpu.cfs_quota_us").exists() {
            let group = Self::make(&first, pid)?;
            group.write("cpu.cfs_period_us", &period.to_string())?;
            group.write("cpu.cfs_quota_us", &quota.to_string())?;
            return group.join(pid);
        }
        // The second version. Groups below the root have the controller only where the root hands it on.
        let handed_on = std::fs::read_to_string(mounted.join("cgroup.subtree_control"))?;
        if !handed_on.split_whitespace().any(|name| name == "cpu") {
            std::fs::write(mounted.join("cgroup.subtree_control"), "+cpu")?;
        }
        let group = Self::make(mounted, pid)?;
        group.write("cpu.max", &format!("{quota} {period}"))?;
        group.join(pid)
    }

    fn make(parent: &Path, pid: Pid) -> anyhow::Result<Self> {
        sweep(parent);
        let path = parent.join(format!("bench-{}-{pid}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self(path))
    }

    fn write(&self, file: &str, value: &str) -> anyhow::Result<()> {
        let path = self.0.join(file);
        std::fs::write(&path, value)
            .with_context(|| format!("{} cannot be written", path.display()))
    }

    fn join(self, pid: Pid) -> anyhow::Result<Self> {
        self.write("cgroup.procs", &pid.to_string())?;
        Ok(self)
    }
}

/// Removes the groups of programs that were killed.
fn sweep(parent: &Path) {
    for group in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = group.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix("bench-")?.split('-').next());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner).exists()) {
            let _ = std::fs::remove_dir(group.path());
        }
    }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        // It stays if a process is in it; then there is nothing that could be done here.
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};
    use std::time::Instant;

    use super::*;

    /// Ends with the test.
    struct Spinning(Child);

    impl Drop for Spinning {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn a_process_gets_its_share_or_is_not_measured() {
        let mut spinning = Command::new("sh");
        spinning.args(["-c", "while :; do :; done"]);
        let spinning = Spinning(spinning.spawn().unwrap());
        let pid = Pid::from_raw(i32::try_from(spinning.0.id()).unwrap());
        assert!(CpuShare::hold(pid, 0.01).is_err(), "less than Linux takes");
        let share = match CpuShare::hold(pid, 0.1) {
            Ok(share) => share,
            Err(error) => {
                assert!(error.to_string().contains("needs root"), "{error}");
                return;
            }
        };
        let clock = CpuClock::of(pid).unwrap();
        let (begin, before) = (Instant::now(), clock.now().unwrap());
        std::thread::sleep(Duration::from_secs(1));
        let used = clock.now().unwrap() - before;
        // A period's quota more on either side, and what a tick of the scheduler overruns.
        let most = begin.elapsed().mul_f64(0.15) + PERIOD;
        assert!(used < most, "{used:?} of {most:?}");
        drop(spinning);
        drop(share);
    }

    #[test]
    fn a_process_is_told_its_own_time_and_memory() {
        let clock = CpuClock::of(Pid::this()).unwrap();
        let before = clock.now().unwrap();
        // Work that cannot be left out.
        let sum: u64 = std::hint::black_box(0..5_000_000_u64).sum();
        std::hint::black_box(sum);
        assert!(clock.now().unwrap() > before);
        assert!(resident(Pid::this()).unwrap() > 1 << 20);
    }
}
