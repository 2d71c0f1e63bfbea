//! Measures the CPU time and the memory of a process, and limits its share of a CPU.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

/// As on Lambda, a CPU quota applies to each period of this length.
const PERIOD: Duration = Duration::from_millis(20);

/// The minimum share of a CPU. Linux refuses a quota below 1 ms per period, and 1 ms is 0.05 of the period.
const MIN_SHARE: f64 = 0.05;

/// The CPU time of a process, including its ended threads.
#[derive(Debug, Clone, Copy)]
pub(super) struct CpuClock(ClockId);

impl CpuClock {
    pub(super) fn of(pid: Pid) -> anyhow::Result<Self> {
        let clock = clock_getcpuclockid(pid);
        Ok(Self(clock.context("the process has no CPU clock")?))
    }

    pub(super) fn now(self) -> anyhow::Result<Duration> {
        let now = self.0.now();
        Ok(now.context("the CPU clock cannot be read")?.into())
    }
}

/// Returns the resident memory of a process in bytes.
pub(super) fn resident(pid: Pid) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kibibytes.context("/proc does not show the memory of the process")? * 1024)
}

/// A control group that limits a process to a share of a CPU. Drop this value only after the process has ended, because
/// the drop removes the group.
#[derive(Debug)]
pub(super) struct CpuShare(PathBuf);

impl CpuShare {
    pub(super) fn limit(pid: Pid, share: f64) -> anyhow::Result<Self> {
        ensure!(
            share >= MIN_SHARE,
            "the share of a CPU is {share}, but must be at least {MIN_SHARE}"
        );
        Self::try_limit(pid, share).context("a CPU limit needs Linux, root and a cpu control group")
    }

    fn try_limit(pid: Pid, share: f64) -> anyhow::Result<Self> {
        let quota = PERIOD.mul_f64(share);
        let (quota, period) = (quota.as_micros(), PERIOD.as_micros());
        let mounted = Path::new("/sys/fs/cgroup");
        let version_1 = mounted.join("cpu");
        // This file exists only with version 1 of control groups.
        if version_1.join("cpu.cfs_quota_us").exists() {
            let group = Self::make(&version_1, pid)?;
            group.write("cpu.cfs_period_us", &period.to_string())?;
            group.write("cpu.cfs_quota_us", &quota.to_string())?;
            return group.join(pid);
        }
        // With version 2, the root group must enable the CPU controller for its groups.
        let enabled = std::fs::read_to_string(mounted.join("cgroup.subtree_control"))?;
        if !enabled.split_whitespace().any(|name| name == "cpu") {
            std::fs::write(mounted.join("cgroup.subtree_control"), "+cpu")?;
        }
        let group = Self::make(mounted, pid)?;
        group.write("cpu.max", &format!("{quota} {period}"))?;
        group.join(pid)
    }

    fn make(parent: &Path, pid: Pid) -> anyhow::Result<Self> {
        remove_abandoned(parent);
        let path = parent.join(format!("bench-{}-{pid}", std::process::id()));
        std::fs::create_dir(&path)
            .with_context(|| format!("{} cannot be created", path.display()))?;
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

/// Removes the groups of killed benchmarks.
fn remove_abandoned(parent: &Path) {
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
        // The removal fails if the group has a process. In this case, the next benchmark removes the group.
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};
    use std::time::Instant;

    use super::*;

    /// A process that ends when this value is dropped.
    struct Spinning(Child);

    impl Drop for Spinning {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn a_process_is_limited_to_its_share_or_the_limit_fails() {
        let mut spinning = Command::new("sh");
        spinning.args(["-c", "while :; do :; done"]);
        let spinning = Spinning(spinning.spawn().unwrap());
        let pid = Pid::from_raw(i32::try_from(spinning.0.id()).unwrap());
        assert!(CpuShare::limit(pid, 0.01).is_err(), "below the minimum");
        let share = match CpuShare::limit(pid, 0.1) {
            Ok(share) => share,
            Err(error) => {
                assert!(error.to_string().contains("root"), "{error}");
                return;
            }
        };
        let clock = CpuClock::of(pid).unwrap();
        let (begin, before) = (Instant::now(), clock.now().unwrap());
        std::thread::sleep(Duration::from_secs(1));
        let used = clock.now().unwrap() - before;
        // The limit is above the share of 0.1, because the process can exceed its quota in a period. `PERIOD` is added
        // for unused quota at the start and at the end.
        let most = begin.elapsed().mul_f64(0.15) + PERIOD;
        assert!(used < most, "{used:?} of {most:?}");
        drop(spinning);
        drop(share);
    }

    #[test]
    fn the_cpu_clock_advances_during_work_and_the_memory_can_be_read() {
        let clock = CpuClock::of(Pid::this()).unwrap();
        let before = clock.now().unwrap();
        // `black_box` keeps the compiler from removing this work.
        let sum: u64 = std::hint::black_box(0..5_000_000_u64).sum();
        std::hint::black_box(sum);
        assert!(clock.now().unwrap() > before);
        assert!(resident(Pid::this()).unwrap() > 1 << 20);
    }
}
