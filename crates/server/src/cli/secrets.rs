//! Secrets come from a prompt or from standard input, never from an argument.

use std::io::{IsTerminal, Read, stdin};

use zeroize::Zeroizing;

use super::Failed;

/// Longest secret that is read.
const MOST_BYTES: u64 = 64 * 1024;

/// A new password: from standard input when asked so, else from the terminal, typed twice.
pub(super) fn new_password(from_stdin: bool) -> Result<Zeroizing<String>, Failed> {
    if from_stdin {
        return piped();
    }
    if !stdin().is_terminal() {
        return Err(Failed::said(
            "no_password",
            "there is no terminal to ask for the password: pipe it in with --password-stdin",
        ));
    }
    let first = Zeroizing::new(rpassword::prompt_password("Password: ")?);
    let second = Zeroizing::new(rpassword::prompt_password("Again: ")?);
    if first == second {
        Ok(first)
    } else {
        Err(Failed::said("no_password", "the two passwords differ"))
    }
}

/// The secret of a client: from the terminal, or from standard input.
pub(super) fn secret() -> Result<Zeroizing<String>, Failed> {
    match stdin().is_terminal() {
        true => Ok(Zeroizing::new(rpassword::prompt_password("Secret: ")?)),
        false => piped(),
    }
}

/// Standard input as text, one trailing newline cut.
pub(super) fn piped() -> Result<Zeroizing<String>, Failed> {
    let mut bytes = Zeroizing::new(Vec::new());
    stdin().lock().take(MOST_BYTES).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failed::said("not_utf8", "standard input is not UTF-8"))?;
    Ok(Zeroizing::new(without_newline(text).to_owned()))
}

/// `text` without one newline at its end, be it `\n` or `\r\n`.
fn without_newline(text: &str) -> &str {
    let Some(cut) = text.strip_suffix('\n') else {
        return text;
    };
    cut.strip_suffix('\r').unwrap_or(cut)
}
