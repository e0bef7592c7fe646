//! Streams on which something was lost or spoilt. No entry is skipped in silence: the guard drops the connection, and
//! takes a new snapshot where it cannot tell what it missed.

use anyhow::Result;

use super::super::NOW;
use super::super::feed::{Written, key};
use super::wire::{Text, snapshot_json};
use super::{Cast, EPOCH, OTHER_EPOCH, entry};

pub(super) fn add(cast: &mut Cast) -> Result<()> {
    gaps(cast)?;
    entries(cast)?;
    bounds(cast)?;
    snapshots(cast)?;
    heartbeats(cast)?;
    no_snapshot(cast)?;
    set_back(cast)?;
    cut_short(cast)
}

fn begin() -> Result<(Text, Written)> {
    let a = entry(3, "a");
    Ok((
        Text::snapshot(EPOCH, 3, std::slice::from_ref(&a))?.heartbeat(3),
        a,
    ))
}

/// A heartbeat tells the number that should have been heard by then.
fn gaps(cast: &mut Cast) -> Result<()> {
    let (text, a) = begin()?;
    let (b, c, d) = (entry(4, "b"), entry(5, "c"), entry(6, "d"));
    let live = [a, b.clone(), c.clone(), d.clone()];
    let rest = Text::default()
        .revocation(&b)?
        .revocation(&c)?
        .revocation(&d)?
        .heartbeat(6);
    let lost = text.clone().heartbeat(5);
    let connections = vec![(None, lost.clone()), (Some("e1:3"), rest.clone())];
    cast.stream("gap-told-by-a-heartbeat", connections, (EPOCH, 6, 0), &live);
    // What follows on the old connection comes too late: with it as last number the gap would stay.
    let connections = vec![(None, lost.clone().revocation(&d)?), (Some("e1:3"), rest)];
    cast.stream(
        "gap-with-an-entry-behind-it",
        connections,
        (EPOCH, 6, 0),
        &live,
    );
    let snapshot = Text::snapshot(EPOCH, 6, &live)?;
    let connections = vec![(None, lost), (Some("e1:3"), snapshot)];
    cast.stream(
        "gap-healed-by-a-snapshot",
        connections,
        (EPOCH, 6, 0),
        &live,
    );
    let resumed = Text::default().heartbeat(4);
    let rest = Text::default().revocation(&b)?.heartbeat(4);
    let connections = vec![(None, text), (Some("e1:3"), resumed), (Some("e1:3"), rest)];
    cast.stream(
        "gap-right-after-resuming",
        connections,
        (EPOCH, 4, 0),
        &live[..2],
    );
    Ok(())
}

/// What cannot be read, then a good entry that must not be taken, then the fresh snapshot that makes up for it.
fn spoilt(cast: &mut Cast, name: String, first: Text) -> Result<()> {
    let late = entry(9, "f");
    let all = [entry(3, "a"), entry(4, "b"), entry(8, "c")];
    let again = Text::snapshot(EPOCH, 8, &all)?.heartbeat(8);
    let connections = vec![(None, first.revocation(&late)?), (None, again)];
    cast.stream(name, connections, (EPOCH, 8, 1), &all);
    Ok(())
}

/// Texts that are no entry.
fn entries(cast: &mut Cast) -> Result<()> {
    let good = entry(4, "b").json()?;
    let name = key("session", "b");
    let but = |from: &str, to: &str| good.replace(from, to);
    let until = format!(r#","until":{}"#, NOW + 900);
    for (what, json) in [
        ("cut-json", good[..20].to_owned()),
        ("no-json", "hello".to_owned()),
        ("null", "null".to_owned()),
        ("list", format!("[{good}]")),
        ("number", "4".to_owned()),
        ("empty-object", "{}".to_owned()),
        ("more-behind", format!("{good}x")),
        ("seq-absent", but(r#""seq":4,"#, "")),
        ("seq-text", but(r#""seq":4"#, r#""seq":"4""#)),
        ("seq-null", but(r#""seq":4"#, r#""seq":null"#)),
        ("seq-negative", but(r#""seq":4"#, r#""seq":-4"#)),
        ("seq-fraction", but(r#""seq":4"#, r#""seq":4.5"#)),
        ("kind-unknown", but("session", "planet")),
        ("kind-absent", but(r#""kind":"session","#, "")),
        ("kind-other-letters", but("session", "Session")),
        ("kind-number", but(r#""session""#, "1")),
        ("effect-unknown", but("revoked", "paused")),
        ("effect-absent", but(r#","effect":"revoked""#, "")),
        ("key-absent", but(&format!(r#""key":"{name}","#), "")),
        ("key-empty", but(&name, "")),
        ("key-too-short", but(&name, &name[..21])),
        ("key-too-long", but(&name, &format!("{name}A"))),
        ("key-padded", but(&name, &format!("{name}=="))),
        ("key-no-base64url", but(&name, &format!("{}!", &name[..21]))),
        ("key-null", but(&format!(r#""{name}""#), "null")),
        ("until-absent", but(&until, "")),
        ("until-text", but(&until, r#","until":"soon""#)),
        ("until-null", but(&until, r#","until":null"#)),
        ("until-fraction", but(&until, r#","until":1790000900.5"#)),
    ] {
        malformed(cast, what, &good, &json)?;
    }
    Ok(())
}

/// Entries without the bound that their kind needs.
fn bounds(cast: &mut Cast) -> Result<()> {
    let user = Written::user(4, "u", 3).json()?;
    let client = Written::before(4, "client", "c", 7).json()?;
    let all = Written::before(4, "all", "", 7).json()?;
    for (what, good, from, to) in [
        ("user-without-below", &user, r#","below":3"#, ""),
        ("user-below-null", &user, r#""below":3"#, r#""below":null"#),
        ("user-below-text", &user, r#""below":3"#, r#""below":"3""#),
        ("user-with-before-only", &user, "below", "before"),
        ("client-without-before", &client, r#","before":7"#, ""),
        (
            "client-before-text",
            &client,
            r#""before":7"#,
            r#""before":"7""#,
        ),
        ("client-with-below-only", &client, "before", "below"),
        ("all-without-before", &all, r#","before":7"#, ""),
        ("all-before-null", &all, r#""before":7"#, r#""before":null"#),
    ] {
        malformed(cast, what, good, &good.replace(from, to))?;
    }
    Ok(())
}

fn malformed(cast: &mut Cast, what: &str, good: &str, json: &str) -> Result<()> {
    anyhow::ensure!(good != json, "{what} is good");
    let first = begin()?.0.event("revocation", Some("e1:4"), json);
    spoilt(cast, format!("malformed-entry-{what}"), first)
}

fn snapshots(cast: &mut Cast) -> Result<()> {
    let good = snapshot_json(EPOCH, 3, &[entry(2, "a"), entry(3, "f")])?;
    for (what, json) in [
        ("cut-json", good[..good.len() - 2].to_owned()),
        ("no-json", "hello".to_owned()),
        ("null", "null".to_owned()),
        ("empty-object", "{}".to_owned()),
        ("more-behind", format!("{good}x")),
        ("epoch-absent", good.replace(r#""epoch":"e1","#, "")),
        (
            "epoch-number",
            good.replace(r#""epoch":"e1""#, r#""epoch":1"#),
        ),
        ("seq-absent", good.replace(r#""seq":3,"now""#, r#""now""#)),
        (
            "seq-text",
            good.replace(r#""seq":3,"now""#, r#""seq":"3","now""#),
        ),
        (
            "entries-absent",
            format!(r#"{{"epoch":"e1","seq":3,"now":{NOW}}}"#),
        ),
        (
            "entries-object",
            format!(r#"{{"epoch":"e1","seq":3,"now":{NOW},"entries":{{}}}}"#),
        ),
        (
            "one-entry-malformed",
            good.replacen(r#""session""#, r#""planet""#, 1),
        ),
        ("last-entry-null", good.replace("}]}", "},null]}")),
    ] {
        anyhow::ensure!(json != good, "{what} is good");
        let first = Text::default().event("snapshot", Some("e1:3"), &json);
        spoilt(cast, format!("malformed-snapshot-{what}"), first)?;
    }
    // What was known before a snapshot that cannot be read goes on to count until there is a good one.
    let (text, _) = begin()?;
    let second = Text::default().event("snapshot", Some("e1:7"), &good[..60]);
    let all = [entry(3, "a"), entry(8, "c")];
    let third = Text::snapshot(EPOCH, 8, &all)?;
    let connections = vec![(None, text), (Some("e1:3"), second), (None, third)];
    cast.stream(
        "malformed-snapshot-after-a-good-one",
        connections,
        (EPOCH, 8, 1),
        &all,
    );
    Ok(())
}

fn heartbeats(cast: &mut Cast) -> Result<()> {
    for (what, json) in [
        ("no-json", "hello"),
        ("empty-object", "{}"),
        ("seq-absent", r#"{"now":1790000000}"#),
        ("now-absent", r#"{"seq":3}"#),
        ("seq-text", r#"{"now":1790000000,"seq":"3"}"#),
        ("now-text", r#"{"now":"later","seq":3}"#),
    ] {
        let first = begin()?.0.event("heartbeat", None, json);
        spoilt(cast, format!("malformed-heartbeat-{what}"), first)?;
    }
    let first = begin()?.0.event("revocation", Some("e1:4"), "{");
    let second = begin()?.0.event("heartbeat", None, "{");
    let (third, a) = begin()?;
    let connections = vec![(None, first), (None, second), (None, third)];
    cast.stream("malformed-twice", connections, (EPOCH, 3, 2), &[a]);
    Ok(())
}

/// After what could not be read nothing counts before a snapshot has told what was missed.
fn no_snapshot(cast: &mut Cast) -> Result<()> {
    let all = [entry(3, "a"), entry(4, "b"), entry(8, "c")];
    for (what, second) in [
        ("an-entry", Text::default().revocation(&entry(9, "f"))?),
        ("a-heartbeat", Text::default().heartbeat(3)),
    ] {
        let first = begin()?.0.event("revocation", Some("e1:4"), "{");
        let third = Text::snapshot(EPOCH, 8, &all)?.heartbeat(8);
        let connections = vec![(None, first), (None, second), (None, third)];
        let name = format!("malformed-then-{what}-for-a-snapshot");
        cast.stream(name, connections, (EPOCH, 8, 2), &all);
    }
    Ok(())
}

/// A server whose clock was an hour ahead made guards drop what still counts: all must be told again.
fn set_back(cast: &mut Cast) -> Result<()> {
    let (text, a) = begin()?;
    let first = text.clone().heartbeat_at(NOW + 3600, 3).heartbeat(3);
    let connections = vec![(None, first), (None, text)];
    let live = [a];
    cast.stream("clock-set-back", connections, (EPOCH, 3, 1), &live);
    // Servers that take turns differ by a little.
    let (text, _) = begin()?;
    let first = text.heartbeat_at(NOW + 50, 3).heartbeat(3).heartbeat(3);
    let connections = vec![(None, first)];
    cast.stream("clock-set-back-a-little", connections, (EPOCH, 3, 0), &live);
    Ok(())
}

/// An event that a cut left unfinished is as if it had not come: nothing of it is heeded, and the guard goes on from
/// the last one that was whole. A network that cuts often must not make it load everything anew.
fn cut_short(cast: &mut Cast) -> Result<()> {
    let (text, a) = begin()?;
    let (b, c) = (entry(4, "b"), entry(5, "c"));
    let live = [a, b.clone(), c.clone()];
    let after_three = Text::default().revocation(&b)?.revocation(&c)?.heartbeat(5);
    let after_four = Text::default().revocation(&c)?.heartbeat(5);
    let whole = text.revocation(&b)?;
    for (what, first, id, rest) in [
        (
            "before-the-blank-line",
            whole.clone().cut(1),
            "e1:3",
            &after_three,
        ),
        (
            "before-the-last-line-ends",
            whole.clone().cut(2),
            "e1:3",
            &after_three,
        ),
        (
            "inside-the-json",
            whole.clone().cut(30),
            "e1:3",
            &after_three,
        ),
        (
            "inside-the-name",
            begin()?.0.raw("event: revo"),
            "e1:3",
            &after_three,
        ),
        (
            "before-the-data",
            begin()?.0.raw("event: revocation\nid: e1:4\n"),
            "e1:3",
            &after_three,
        ),
        (
            "inside-a-heartbeat",
            whole.heartbeat(4).cut(10),
            "e1:4",
            &after_four,
        ),
    ] {
        let connections = vec![(None, first), (Some(id), rest.clone())];
        cast.stream(format!("cut-{what}"), connections, (EPOCH, 5, 0), &live);
    }
    snapshots_cut_short(cast, &live)
}

fn snapshots_cut_short(cast: &mut Cast, live: &[Written; 3]) -> Result<()> {
    let [.., c] = live;
    let again = Text::snapshot(EPOCH, 5, live)?.heartbeat(5);
    let connections = vec![
        (None, Text::snapshot(EPOCH, 5, live)?.cut(40)),
        (None, again),
    ];
    cast.stream(
        "cut-inside-the-first-snapshot",
        connections,
        (EPOCH, 5, 0),
        live,
    );
    let other = Text::snapshot(OTHER_EPOCH, 1, std::slice::from_ref(c))?;
    let connections = vec![
        (None, begin()?.0),
        (Some("e1:3"), other.clone().cut(40)),
        (Some("e1:3"), other),
    ];
    cast.stream(
        "cut-inside-the-snapshot-of-another-epoch",
        connections,
        (OTHER_EPOCH, 1, 0),
        std::slice::from_ref(c),
    );
    Ok(())
}
