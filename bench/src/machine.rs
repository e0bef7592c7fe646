//! The machine: what it is, which core a thread runs on, what a process used.

use std::{
    fmt, fs,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use crate::clock;

/// What the figures were taken on.
pub struct Machine {
    processor: String,
    cores: usize,
    kernel: String,
    memory_mib: u64,
}

impl Machine {
    pub fn read() -> Self {
        let field = |file: &str, name: &str| -> Option<String> {
            let text = fs::read_to_string(file).ok()?;
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease");
        Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into()),
            cores: cores(),
            kernel: kernel.map_or_else(|_| std::env::consts::OS.into(), |text| text.trim().into()),
            memory_mib: field("/proc/meminfo", "MemTotal")
                .and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok())
                .unwrap_or_default()
                / 1024,
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} cores, {} MiB of memory, {} {}",
            self.processor,
            self.cores,
            self.memory_mib,
            std::env::consts::OS,
            self.kernel
        )
    }
}

/// How many processors this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The load average of the last minute: what else ran while we measured.
pub fn load_average() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// Runs `work` with this thread, and every thread and process it starts meanwhile, on one core.
///
/// Where the machine has one core or cannot pin, `work` runs anyway: see [`can_pin`].
pub fn on_core<T>(core: usize, work: impl FnOnce() -> T) -> T {
    let before = affinity::take(core);
    let out = work();
    if let Some(before) = before {
        affinity::restore(&before);
    }
    out
}

/// Whether server and load can be kept on cores of their own.
pub fn can_pin() -> bool {
    cores() > 1 && cfg!(target_os = "linux")
}

#[cfg(target_os = "linux")]
mod affinity {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    pub fn take(core: usize) -> Option<CpuSet> {
        let before = sched_getaffinity(None).ok()?;
        if before.count() < 2 {
            return None;
        }
        let mut only = CpuSet::new();
        only.set(core);
        sched_setaffinity(None, &only).ok()?;
        Some(before)
    }

    pub fn restore(before: &CpuSet) {
        // It was allowed a moment ago; if it is not now, the next figures are on one core and say so
        // by their CPU use.
        let _ = sched_setaffinity(None, before);
    }
}

#[cfg(not(target_os = "linux"))]
mod affinity {
    pub fn take(_core: usize) -> Option<()> {
        None
    }

    pub fn restore(_before: &()) {}
}

/// Processor time that everything together has used since the machine started, in seconds.
pub fn busy_seconds() -> f64 {
    let read = || -> Option<f64> {
        let text = fs::read_to_string("/proc/stat").ok()?;
        let fields = text.lines().next()?.strip_prefix("cpu ")?;
        let times = fields.split_whitespace().map(str::parse::<f64>);
        let times: Vec<f64> = times.collect::<Result<_, _>>().ok()?;
        // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already.
        let idle: f64 = times.iter().skip(3).take(2).sum();
        Some((times.iter().take(8).sum::<f64>() - idle) / 100.0)
    };
    read().unwrap_or_default()
}

/// Whether runs wait for a quiet machine and are repeated when something else ran.
static PATIENT: AtomicBool = AtomicBool::new(false);
/// Cores that others may use before a run counts as disturbed. The kernel's own threads are among them.
pub const QUIET: f64 = 0.12;

pub fn be_patient() {
    PATIENT.store(true, Ordering::Relaxed);
}

/// How often a run that was disturbed is taken again.
pub fn repeats() -> usize {
    if PATIENT.load(Ordering::Relaxed) {
        10
    } else {
        0
    }
}

/// Returns when the machine is quiet, after five minutes in any case; at once unless patience was asked for.
pub fn wait_until_quiet() {
    let start = clock::now();
    while PATIENT.load(Ordering::Relaxed) && clock::since(start) < Duration::from_secs(300) {
        let before = busy_seconds();
        clock::pause(Duration::from_millis(500));
        if busy_seconds() - before < QUIET * 0.5 {
            return;
        }
    }
}

/// Processor time that a process has used, in seconds. Zero where `/proc` is missing.
pub fn cpu_seconds(pid: u32) -> f64 {
    let read = || -> Option<f64> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name is in brackets and may hold spaces; the fields after it are numbered from 3.
        let mut fields = text.rsplit_once(") ")?.1.split(' ').skip(11);
        let user: f64 = fields.next()?.parse().ok()?;
        let system: f64 = fields.next()?.parse().ok()?;
        // USER_HZ is 100 on every Linux that this runs on.
        Some((user + system) / 100.0)
    };
    read().unwrap_or_default()
}

/// Processor time that goes by from now on, and whose.
pub struct Usage {
    server: u32,
    start: Instant,
    /// What was used before: by this process, by the server, by everything together.
    before: [f64; 3],
}

impl Usage {
    pub fn of(server: u32) -> Self {
        Self {
            server,
            start: clock::now(),
            before: Self::now(server),
        }
    }

    fn now(server: u32) -> [f64; 3] {
        let own = cpu_seconds(std::process::id());
        [own, cpu_seconds(server), busy_seconds()]
    }

    /// In percent of a core, for the reader.
    pub fn text(&self) -> String {
        let seconds = clock::since(self.start).as_secs_f64();
        let [own, server, all] = Self::now(self.server);
        let [own_before, server_before, all_before] = self.before;
        let (own, server) = (own - own_before, server - server_before);
        let others = (all - all_before - own - server) / seconds;
        let percent = |cores: f64| format!("{:.0} %", cores * 100.0);
        let mut text = format!(
            "server {} of a core, readers and callers {}",
            percent(server / seconds),
            percent(own / seconds)
        );
        if others > QUIET {
            text += &format!(", DISTURBED: something else used {}", percent(others));
        }
        text
    }
}

/// Raises the number of files that this process and its children may have open to what the system lets them, and
/// returns it.
#[cfg(unix)]
pub fn open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => current,
    }
    .unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
pub fn open_files() -> u64 {
    u64::MAX
}

/// A `Vm…` line of a process in MiB.
pub fn memory_mib(pid: u32, name: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).context("no /proc here")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .with_context(|| format!("no {name} in /proc/{pid}/status"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}
