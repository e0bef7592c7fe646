//! How long a verdict takes.

use std::hint::black_box;

use anyhow::{Context as _, Result};
use symbolon_guard::Guard;

use super::{PROMISED_AT, SESSIONS};
use crate::{
    Run,
    feed::{
        guards::{builder, client, runtime},
        logouts::signed,
    },
    machine,
    process::{Folder, LOAD_CORE, Place, Server, call},
    report::{Row, Section, count},
    seed::Seeded,
    tokens::{bare, done, rounds},
};

/// Nanoseconds that a verdict on a token seen before may take.
const MOST_NANOS: f64 = 300.0;

/// `full` is a server whose feed has [`PROMISED_AT`] revocations.
pub fn measure(run: &Run, full: &Server, seeded: &Seeded, section: &mut Section) -> Result<()> {
    let folder = Folder::new(&run.dir, "verdict")?;
    let few = Seeded::create(folder.path(), SESSIONS as u64)?;
    let empty = Server::symbolon(&run.server, folder.path(), Place::Pinned, &[])?;
    let (of_empty, of_full) = (tokens(&empty, &few)?, tokens(full, seeded)?);
    machine::on_core(LOAD_CORE, || {
        let runtime = runtime()?;
        let client = client()?;
        let guard = |server: &Server, cache| {
            let builder = builder(server.address, client.clone())?.cache_capacity(cache);
            anyhow::Ok(runtime.block_on(builder.start())?)
        };
        seen(
            run,
            [
                (&guard(&empty, 10_000)?, &of_empty),
                (&guard(full, 10_000)?, &of_full),
            ],
            section,
        )?;
        let forgetful = guard(full, SESSIONS / 100)?;
        new(run, full, (&forgetful, &of_full), section)
    })?;
    empty.stop()
}

fn tokens(server: &Server, seeded: &Seeded) -> Result<Vec<String>> {
    let signed = signed(server, seeded, SESSIONS)?;
    Ok(signed.into_iter().map(|one| one.access).collect())
}

fn check(guard: &Guard, token: &str) -> Result<()> {
    done(guard.check(black_box(token))?)
}

fn seen(
    run: &Run,
    [none, million]: [(&Guard, &Vec<String>); 2],
    section: &mut Section,
) -> Result<()> {
    for (guard, tokens) in [none, million] {
        for token in tokens {
            check(guard, token)?;
        }
    }
    let mut turns = [0, 0];
    let [turn_none, turn_million] = &mut turns;
    let times = rounds(
        run,
        [
            &mut || check(none.0, one(none.1, &mut 0)?),
            &mut || check(million.0, one(million.1, &mut 0)?),
            &mut || check(none.0, one(none.1, turn_none)?),
            &mut || check(million.0, one(million.1, turn_million)?),
        ],
    )?;
    let [none, million, none_in_turn, million_in_turn] = times.map(|micros| micros * 1e3);
    let full = count(PROMISED_AT as f64);
    let mut push = |what: String, nanos: f64, beside: Option<f64>| {
        let mut row = Row::new(what, format!("{nanos:.0} ns"));
        if let Some(none) = beside {
            row = row.beside(format!("{none:.0} ns with none"), nanos / none);
        }
        section.push(row.bound(format!("< {MOST_NANOS} ns"), nanos < MOST_NANOS));
    };
    push("seen token, no revocation".to_owned(), none, None);
    push(
        format!("seen token, {full} revocations"),
        million,
        Some(none),
    );
    let many = count(SESSIONS as f64);
    push(
        format!("{many} seen tokens in turn, no revocation"),
        none_in_turn,
        None,
    );
    push(
        format!("{many} seen tokens in turn, {full} revocations"),
        million_in_turn,
        Some(none_in_turn),
    );
    Ok(())
}

fn new(
    run: &Run,
    server: &Server,
    (guard, tokens): (&Guard, &[String]),
    section: &mut Section,
) -> Result<()> {
    let jwks = call(server.address, "GET /.well-known/jwks.json", "")?.json()?;
    let bare = bare::Checker::of_jwks(&jwks, one(tokens, &mut 0)?)?;
    let [mut ours_at, mut bare_at] = [0, SESSIONS / 2];
    let [ours, bare] = rounds(
        run,
        [
            &mut || check(guard, one(tokens, &mut ours_at)?),
            &mut || done(bare.verify(black_box(one(tokens, &mut bare_at)?))?),
        ],
    )?;
    section.push(
        Row::new(
            format!("new token, {} revocations", count(PROMISED_AT as f64)),
            format!("{ours:.2} us"),
        )
        .beside(format!("{bare:.2} us bare"), ours / bare)
        .at_most(1.1),
    );
    Ok(())
}

/// The next of them, and after the last the first.
fn one<'a>(tokens: &'a [String], turn: &mut usize) -> Result<&'a str> {
    let token = tokens.get(*turn).context("no token")?;
    *turn = (*turn + 1) % tokens.len();
    Ok(token)
}
