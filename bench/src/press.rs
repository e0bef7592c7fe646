//! `press refresh|profile CONNECTIONS SECONDS`: load on a server and nothing else, for a profiler to watch.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::{
    Run, load,
    process::{Folder, Place, Server},
    protected::{access_token, profile_request},
    refresh::rotate::{Rotations, Same},
    say,
    seed::Seeded,
};

pub fn main(arguments: &[String]) -> Result<()> {
    let [what, connections, seconds] = arguments else {
        bail!("press refresh|profile CONNECTIONS SECONDS");
    };
    let run = Run::parse(&[])?;
    let folder = Folder::new(&run.dir, "press")?;
    let seeded = Seeded::create(folder.path(), 1000)?;
    let server = Server::symbolon(&run.server, folder.path(), Place::Pinned, &[])?;
    say::line(format!("server {} on {}", server.pid(), server.address));
    let connections = connections.parse()?;
    let time = Duration::from_secs(seconds.parse()?);
    let figures = match what.as_str() {
        "refresh" => {
            let tokens = (0..seeded.count()).map(|at| Ok(seeded.token(at)?.as_bytes().to_vec()));
            let mut script = Rotations::new(tokens.collect::<Result<_>>()?, connections);
            load::pinned(&server, connections, time, &mut script)?
        }
        "profile" => {
            let access = access_token(&server, &seeded.token(0)?)?;
            let mut script = Same::new(profile_request(&access), 200);
            load::pinned(&server, connections, time, &mut script)?
        }
        other => bail!("{other}: refresh or profile"),
    };
    let generator = figures.generator_cpu * 100.0;
    say::line(format!(
        "{}, load generator {generator:.0} %",
        figures.text()
    ));
    server.stop()
}
