//! `press refresh|profile|client CONNECTIONS SECONDS SESSIONS`: load on a server and nothing else, for a profiler to watch.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::{
    Run, load,
    oauth::setup,
    process::{Folder, Place, Server},
    protected::{access_token, profile_request},
    refresh::rotate::Same,
    say,
    scale::{Anywhere, Used},
    seed::Seeded,
};

const USAGE: &str = "refresh|profile|client CONNECTIONS SECONDS SESSIONS";

pub fn main(arguments: &[String]) -> Result<()> {
    let [what, numbers @ ..] = arguments else {
        bail!("press {USAGE}");
    };
    let numbers: Result<Vec<u64>, _> = numbers.iter().map(|number| number.parse()).collect();
    let [connections, seconds, sessions] = *numbers? else {
        bail!("press {USAGE}");
    };
    let run = Run::parse(&[])?;
    let folder = Folder::new(&run.dir, "press")?;
    let (server, seeded, client) = if what == "client" {
        let (subject, seeded) = setup::symbolon(&run, &folder)?;
        (subject.server, seeded, subject.client_credentials)
    } else {
        let seeded = Seeded::create(folder.path(), sessions)?;
        let server = Server::symbolon(&run.server, folder.path(), Place::Pinned, &[])?;
        (server, seeded, Vec::new())
    };
    say::line(format!("server {} on {}", server.pid(), server.address));
    let connections = usize::try_from(connections)?;
    let time = Duration::from_secs(seconds);
    let figures = match what.as_str() {
        "refresh" => {
            let mut used = Used::default();
            let mut script = Anywhere::new(&seeded, &mut used, connections);
            load::pinned(&server, connections, time, &mut script)?
        }
        "profile" => {
            let access = access_token(&server, &seeded.token(0)?)?;
            let mut script = Same::new(profile_request(&access), 200);
            load::pinned(&server, connections, time, &mut script)?
        }
        "client" => {
            let mut script = Same::new(client, 200);
            load::pinned(&server, connections, time, &mut script)?
        }
        other => bail!("{other}: {USAGE}"),
    };
    let generator = figures.generator_cpu * 100.0;
    say::line(format!(
        "{}, load generator {generator:.0} %",
        figures.text()
    ));
    server.stop()
}
