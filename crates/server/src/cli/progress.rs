//! A bar on the terminal while something takes longer than a second. Programs that read standard error see nothing.

use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use crate::clock::Stopwatch;

/// Work that is shorter shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two drawings.
const PACE: Duration = Duration::from_millis(100);
const WIDTH: usize = 30;

pub(super) struct Progress {
    watch: Stopwatch,
    /// When it was last drawn; nothing on what is no terminal.
    drawn: Option<Option<Duration>>,
    whole: Option<u64>,
}

impl Progress {
    /// `whole` is how much there is to be done, where that is known.
    pub(super) fn new(whole: Option<u64>) -> Self {
        Self {
            watch: Stopwatch::start(),
            drawn: stderr().is_terminal().then_some(None),
            whole: whole.filter(|whole| *whole > 0),
        }
    }

    /// Draws how much is done of the whole, and how many of what were brought along.
    pub(super) fn at(&mut self, done: u64, count: u64, what: &str) {
        let now = self.watch.elapsed();
        let Some(drawn) = &mut self.drawn else { return };
        if now < PATIENCE || drawn.is_some_and(|last| now < last + PACE) {
            return;
        }
        *drawn = Some(now);
        let a_second = count as f64 / now.as_secs_f64();
        let text = match self.whole {
            Some(whole) => {
                let share = (done as f64 / whole as f64).min(1.0);
                let full = (share * WIDTH as f64) as usize;
                let bar = format!("{}{}", "#".repeat(full), ".".repeat(WIDTH - full));
                let percent = share * 100.0;
                format!("[{bar}] {percent:3.0} %  {count} {what}, {a_second:.0} a second")
            }
            None => format!("{count} {what}, {a_second:.0} a second"),
        };
        draw(&text);
    }

    /// Clears the line, so that something else can be said.
    pub(super) fn clear(&mut self) {
        if let Some(drawn @ Some(_)) = &mut self.drawn {
            *drawn = None;
            draw("");
        }
    }
}

fn draw(text: &str) {
    // Nobody is left to be told when standard error is closed.
    let _unseen = write!(stderr().lock(), "\r\u{1b}[K{text}");
}
