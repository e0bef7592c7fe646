//! Streams in which the server does nothing wrong.

use anyhow::Result;

use super::super::feed::Written;
use super::super::members::{SUB, VER};
use super::wire::{Text, snapshot_json};
use super::{Cast, EPOCH, OTHER_EPOCH, entry};

pub(super) fn add(cast: &mut Cast) -> Result<()> {
    one_connection(cast)?;
    resumed(cast)?;
    from_the_beginning(cast)?;
    numbers(cast)?;
    written_otherwise(cast)?;
    to_be_ignored(cast)
}

/// Two entries, and their snapshot as entry 3 of epoch `e1`.
fn begin() -> Result<(Text, [Written; 2])> {
    let entries = [entry(2, "a"), entry(3, "b")];
    Ok((Text::snapshot(EPOCH, 3, &entries)?, entries))
}

fn one_connection(cast: &mut Cast) -> Result<()> {
    let nothing = Text::snapshot(EPOCH, 0, &[])?;
    cast.stream(
        "snapshot-empty",
        vec![(None, nothing.clone().heartbeat(0))],
        (EPOCH, 0, 0),
        &[],
    );
    let (text, [a, b]) = begin()?;
    cast.stream(
        "snapshot",
        vec![(None, text.clone())],
        (EPOCH, 3, 0),
        &[a.clone(), b.clone()],
    );
    let (c, d) = (entry(4, "c"), entry(5, "d").effect("stale"));
    let more = text
        .heartbeat(3)
        .revocation(&c)?
        .revocation(&d)?
        .heartbeat(5);
    cast.stream(
        "snapshot-then-entries",
        vec![(None, more)],
        (EPOCH, 5, 0),
        &[a, b, c, d],
    );
    let kinds = [
        Written::user(1, SUB, VER),
        Written::before(2, "client", "other", 1),
        Written::before(3, "all", "", 1),
        Written::new(4, "token", "other"),
        Written::new(5, "key", "other"),
        entry(6, "a").effect("stale"),
        entry(7, "a"),
    ];
    let mut text = nothing;
    for entry in &kinds {
        text = text.revocation(entry)?;
    }
    let mut live = kinds.to_vec();
    live.swap(5, 6);
    cast.stream(
        "every-kind",
        vec![(None, text.heartbeat(7))],
        (EPOCH, 7, 0),
        &live,
    );
    let twice = [Written::user(1, SUB, VER), Written::user(2, SUB, VER - 1)];
    let text = Text::snapshot(EPOCH, 2, &twice)?;
    cast.stream(
        "snapshot-with-one-subject-twice",
        vec![(None, text)],
        (EPOCH, 2, 0),
        &twice,
    );
    Ok(())
}

fn resumed(cast: &mut Cast) -> Result<()> {
    let (text, [a, b]) = begin()?;
    let (c, d) = (entry(4, "c"), entry(5, "d"));
    let live = [a.clone(), b.clone(), c.clone(), d.clone()];
    let rest = Text::default().revocation(&c)?.revocation(&d)?.heartbeat(5);
    let connections = vec![(None, text.clone()), (Some("e1:3"), rest)];
    cast.stream("resume-after-a-snapshot", connections, (EPOCH, 5, 0), &live);
    let first = text.clone().revocation(&c)?;
    let rest = Text::default().heartbeat(4).revocation(&d)?;
    let connections = vec![(None, first.clone()), (Some("e1:4"), rest)];
    cast.stream("resume-after-an-entry", connections, (EPOCH, 5, 0), &live);
    let quiet = first.clone().heartbeat(4);
    let rest = Text::default().heartbeat(4);
    let connections = vec![(None, quiet), (Some("e1:4"), rest)];
    cast.stream(
        "resume-after-a-heartbeat",
        connections,
        (EPOCH, 4, 0),
        &live[..3],
    );
    let rest = Text::default().revocation(&d)?;
    let connections = vec![
        (None, first),
        (Some("e1:4"), Text::default()),
        (Some("e1:4"), Text::default().heartbeat(4)),
        (Some("e1:4"), rest),
        (Some("e1:5"), Text::default().heartbeat(5)),
    ];
    cast.stream("resume-again-and-again", connections, (EPOCH, 5, 0), &live);
    let connections = vec![(None, Text::default()), (None, text)];
    cast.stream(
        "cut-before-the-snapshot",
        connections,
        (EPOCH, 3, 0),
        &[a, b],
    );
    Ok(())
}

/// A snapshot says all there is, in the place of what was known.
fn from_the_beginning(cast: &mut Cast) -> Result<()> {
    let (text, [a, b]) = begin()?;
    let c = entry(1, "c");
    let other = Text::snapshot(OTHER_EPOCH, 1, std::slice::from_ref(&c))?;
    let connections = vec![(None, text.clone()), (Some("e1:3"), other.clone())];
    cast.stream(
        "other-epoch",
        connections,
        (OTHER_EPOCH, 1, 0),
        std::slice::from_ref(&c),
    );
    let connections = vec![(None, text.clone().raw(&other.0))];
    cast.stream(
        "other-epoch-on-one-connection",
        connections,
        (OTHER_EPOCH, 1, 0),
        &[c],
    );
    let nothing = Text::snapshot(OTHER_EPOCH, 0, &[])?;
    let connections = vec![(None, text.clone()), (Some("e1:3"), nothing)];
    cast.stream("other-epoch-empty", connections, (OTHER_EPOCH, 0, 0), &[]);
    let (c, d) = (entry(6, "c"), entry(7, "d"));
    let all = [a.clone(), b.clone(), c, d];
    let again = Text::snapshot(EPOCH, 7, &all)?.heartbeat(7);
    let connections = vec![(None, text.clone()), (Some("e1:3"), again)];
    cast.stream("point-is-gone", connections, (EPOCH, 7, 0), &all);
    // The server's numbers are behind: those after its snapshot are new, although they were heard before.
    let c = entry(9, "c");
    let ahead = text.revocation(&c)?;
    let known = [
        a.clone(),
        b.clone(),
        Written {
            seq: 4,
            ..c.clone()
        },
    ];
    let e = entry(5, "e");
    let behind = Text::snapshot(EPOCH, 4, &known)?
        .revocation(&e)?
        .heartbeat(5);
    let connections = vec![(None, ahead), (Some("e1:9"), behind)];
    cast.stream(
        "point-is-in-the-future",
        connections,
        (EPOCH, 5, 0),
        &[a, b, c, e],
    );
    Ok(())
}

/// Numbers rise and need not be contiguous. What is not above the last one was heard before.
fn numbers(cast: &mut Cast) -> Result<()> {
    let (text, [a, b]) = begin()?;
    let (c, d) = (entry(9, "c"), entry(1000, "d"));
    let far = text.clone().revocation(&c)?.revocation(&d)?.heartbeat(1000);
    let live = [a.clone(), b.clone(), c.clone(), d];
    cast.stream(
        "numbers-with-gaps",
        vec![(None, far)],
        (EPOCH, 1000, 0),
        &live,
    );
    let twice = text.clone().revocation(&c)?.revocation(&c)?.heartbeat(9);
    cast.stream(
        "entry-twice",
        vec![(None, twice)],
        (EPOCH, 9, 0),
        &live[..3],
    );
    let of_the_snapshot = text
        .clone()
        .revocation(&b)?
        .revocation(&a)?
        .revocation(&c)?;
    cast.stream(
        "entry-of-the-snapshot-again",
        vec![(None, of_the_snapshot)],
        (EPOCH, 9, 0),
        &live[..3],
    );
    let lower = text
        .clone()
        .revocation(&c)?
        .revocation(&entry(5, "e"))?
        .heartbeat(9);
    cast.stream(
        "entry-lower-than-the-last",
        vec![(None, lower)],
        (EPOCH, 9, 0),
        &live[..3],
    );
    let again = Text::default().revocation(&c)?.heartbeat(9);
    let connections = vec![(None, text.clone().revocation(&c)?), (Some("e1:9"), again)];
    cast.stream(
        "entry-again-after-resuming",
        connections,
        (EPOCH, 9, 0),
        &live[..3],
    );
    let lagging = text.revocation(&c)?.heartbeat(3).heartbeat(0);
    cast.stream(
        "heartbeat-lower-than-the-last",
        vec![(None, lagging)],
        (EPOCH, 9, 0),
        &live[..3],
    );
    Ok(())
}

/// The same events as the standard lets them be written.
fn written_otherwise(cast: &mut Cast) -> Result<()> {
    let (text, [a, b]) = begin()?;
    let c = entry(4, "c");
    let live = [a, b, c.clone()];
    let usual = text.heartbeat(3).revocation(&c)?.heartbeat(4);
    let json = snapshot_json(EPOCH, 3, &live[..2])?;
    let entry = c.json()?;
    let spread = |json: &str| json.replace(",\"", ",\ndata: \"");
    let after = |first: String| Text(first).revocation(&c);
    let snapshot = |data: &str| format!("event: snapshot\nid: e1:3\ndata: {data}\n\n");
    let begun = snapshot(&json);
    for (name, text) in [
        ("lines-end-in-crlf", usual.clone().lines_end_in("\r\n")),
        (
            "no-space-behind-the-colon",
            Text(
                usual
                    .0
                    .replace("event: ", "event:")
                    .replace("id: ", "id:")
                    .replace("data: ", "data:"),
            ),
        ),
        ("snapshot-over-many-lines", after(snapshot(&spread(&json)))?),
        (
            "snapshot-with-empty-lines-of-data",
            after(snapshot(&json.replace(",\"", ",\ndata:\ndata\ndata: \"")))?,
        ),
        (
            "entry-over-many-lines",
            Text(format!(
                "{begun}event: revocation\nid: e1:4\ndata: {}\n\n",
                spread(&entry)
            )),
        ),
        (
            "over-many-lines-in-crlf",
            after(snapshot(&spread(&json)))?.lines_end_in("\r\n"),
        ),
        (
            "fields-in-another-order",
            Text(format!(
                "data: {json}\nid: e1:3\nevent: snapshot\n\ndata: {entry}\nevent: revocation\nid: e1:4\n\n"
            )),
        ),
        (
            "white-space-in-the-json",
            after(snapshot(&json.replace(':', " : ").replace(',', " , ")))?,
        ),
    ] {
        cast.stream(
            format!("written-{name}"),
            vec![(None, text)],
            (EPOCH, 4, 0),
            &live,
        );
    }
    Ok(())
}

fn to_be_ignored(cast: &mut Cast) -> Result<()> {
    let (text, [a, b]) = begin()?;
    let c = entry(4, "c");
    let live = [a.clone(), b, c.clone()];
    let plain = c.json()?;
    let more = |json: &str| json.replacen('{', r#"{"later":{"x":[1,null]},"#, 1);
    let bounded = plain.replacen('{', r#"{"below":1,"before":1,"#, 1);
    let spare = |json: &str| Text(text.0.clone()).event("revocation", Some("e1:4"), json);
    let snapshot = more(
        &snapshot_json(EPOCH, 3, &live[..2])?.replace(r#"{"seq":2,"#, r#"{"seq":2,"later":"x","#),
    );
    let snapshot = Text::default()
        .event("snapshot", Some("e1:3"), &snapshot)
        .revocation(&c)?;
    let then = |between: &str| text.clone().raw(between).revocation(&c);
    for (name, text) in [
        ("comment", then(": nothing\n\n")?),
        ("comment-alone-on-a-line", then(":\n")?),
        (
            "comment-inside-an-event",
            Text(then("")?.0.replace("data: ", ": nothing\ndata: ")),
        ),
        ("blank-lines", then("\n\n\n")?),
        (
            "unknown-event",
            then("event: rotation\ndata: {\"seq\":99}\n\n")?,
        ),
        (
            "unknown-event-that-is-no-json",
            then("event: note\ndata: {\n\n")?,
        ),
        ("event-without-a-name", then("data: {\"seq\":99}\n\n")?),
        ("unknown-field", then("later: 1\n\n")?),
        ("retry-field", then("retry: 1000\n\n")?),
        ("unknown-member-of-an-entry", spare(&more(&plain))),
        ("bounds-that-the-kind-has-no-use-for", spare(&bounded)),
        ("unknown-members-of-a-snapshot", snapshot),
        (
            "unknown-member-of-a-heartbeat",
            then("event: heartbeat\ndata: {\"now\":1790000000,\"seq\":3,\"later\":1}\n\n")?,
        ),
    ] {
        cast.stream(
            format!("ignored-{name}"),
            vec![(None, text)],
            (EPOCH, 4, 0),
            &live,
        );
    }
    Ok(())
}
