//! Measures Symbolon beside what the same machine does with the same libraries and nothing else.
//!
//! `cargo xtask bench [SECTION…] [--quick] [--patient] [--samples N] [--write] [--dir DIR] [--server FILE]`; see bench/README.md.

mod audit;
mod clock;
mod feed;
mod floor;
mod footprint;
mod guard;
mod import;
mod load;
mod machine;
mod oauth;
mod peers;
mod postgres;
mod press;
mod process;
mod protected;
mod refresh;
mod report;
mod say;
mod scale;
mod seed;
mod signin;
mod timing;
mod tokens;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use report::Section;

/// The allocator of the server, so that floors and figures stand on the same ground.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a run does.
#[derive(Clone)]
pub struct Run {
    sections: Vec<String>,
    /// Shorter measurements, and no 10,000,000 sessions.
    pub quick: bool,
    /// Answers of each kind that `timing` takes.
    pub samples: Option<usize>,
    write: bool,
    /// Where data folders go: the disk that is measured.
    pub dir: PathBuf,
    /// The server's binary.
    pub server: PathBuf,
    /// Where other servers are installed.
    pub peers: PathBuf,
    /// What makes each sync of a server's files slow.
    pub slow_sync: Option<PathBuf>,
}

type Measure = fn(&Run) -> Result<Section>;

const SECTIONS: [(&str, Measure); 14] = [
    ("tokens", tokens::measure),
    ("refresh", refresh::measure),
    ("postgres", postgres::measure),
    ("protected", protected::measure),
    ("signin", signin::measure),
    ("timing", timing::measure),
    ("footprint", footprint::measure),
    ("scale", scale::measure),
    ("feed", feed::measure),
    ("guard", guard::measure),
    ("import", import::measure),
    ("audit", audit::measure),
    ("oauth", oauth::measure),
    ("peers", peers::measure),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == "floor" => return floor::main(rest),
        Some((first, rest)) if first == "press" => return press::main(rest),
        Some((first, rest)) if first == "follow" => return guard::child::main(rest),
        _ => {}
    }
    let run = Run::parse(&arguments)?;
    let machine = machine::Machine::read();
    say::line(format!("{} · {machine}", clock::today()));
    let notes = run.notes();
    for note in &notes {
        say::line(note);
    }
    let mut done = Vec::new();
    for (name, measure) in SECTIONS {
        if !run.sections.is_empty() && !run.sections.iter().any(|wanted| wanted == name) {
            continue;
        }
        let section = measure(&run).with_context(|| format!("section {name}"))?;
        section.print();
        done.push(section);
    }
    if run.write {
        // A section alone does not take the place of a whole run.
        let only = match run.sections.as_slice() {
            [only] => format!("-{only}"),
            _ => String::new(),
        };
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("results")
            .join(format!("{}{only}.md", clock::today()));
        std::fs::write(&path, report::markdown(&machine, &done, &notes))?;
        say::line(format!("\nwritten to {}", path.display()));
    }
    Ok(())
}

impl Run {
    fn parse(arguments: &[String]) -> Result<Self> {
        let beside = std::env::current_exe()?;
        let beside = beside.parent().context("this program is in no folder")?;
        let mut run = Self {
            sections: Vec::new(),
            quick: false,
            samples: None,
            write: false,
            dir: beside.join("bench-data"),
            server: beside.join("symbolon"),
            peers: beside.with_file_name("peers"),
            slow_sync: None,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => run.quick = true,
                "--patient" => machine::be_patient(),
                "--write" => run.write = true,
                "--samples" => {
                    let number = arguments.next().context("--samples takes a number")?;
                    run.samples = Some(number.parse()?);
                }
                "--dir" => run.dir = arguments.next().context("--dir takes a folder")?.into(),
                "--server" => {
                    run.server = arguments.next().context("--server takes a file")?.into();
                }
                name if SECTIONS.iter().any(|(section, _)| *section == name) => {
                    run.sections.push(name.to_owned());
                }
                other => {
                    let names = SECTIONS.map(|(name, _)| name).join(", ");
                    bail!("{other}: not a section ({names}) nor an option");
                }
            }
        }
        Ok(run)
    }

    /// What a reader of the figures must know about how they were taken.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if machine::can_pin() {
            notes.push(format!(
                "Where a section says \"pinned\", the server has core {} to itself and the load core {}.",
                process::SERVER_CORE,
                process::LOAD_CORE
            ));
        } else {
            notes.push("Server and load share the cores of this machine.".to_owned());
        }
        if let Some(load) = machine::load_average().filter(|load| *load > 0.3) {
            notes.push(format!(
                "The machine was not idle: load average {load:.2} before the run."
            ));
        }
        if self.quick {
            notes.push("A quick run: shorter measurements, fewer sessions.".to_owned());
        }
        notes
    }
}
