use std::io::{BufWriter, ErrorKind, Write, stdout};

use clap::{Args, ValueEnum};
use symbolon_domain::Timestamp;

use super::super::Failed;
use super::{plain, time};
use crate::app::App;
use crate::flows::audit::{self, ExportedLine};

#[derive(Args)]
pub(in crate::cli) struct Export {
    /// One line of JSON each, which `audit verify` reads from a file, or a table for spreadsheets
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// From this time on: RFC 3339, or a day
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

const COLUMNS: &str =
    "seq,at,kind,outcome,actor,subject,session,address,userAgent,requestId,detail,id,chain\r\n";

impl Export {
    pub(super) async fn run(self, app: &App) -> Result<(), Failed> {
        match self.print(app).await {
            // A reader such as `head` that has seen enough.
            Err(Printing::Io(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            Err(Printing::Io(error)) => Err(error.into()),
            Err(Printing::Flow(error)) => Err(error.into()),
            Ok(()) => Ok(()),
        }
    }

    async fn print(self, app: &App) -> Result<(), Printing> {
        let mut out = BufWriter::new(stdout().lock());
        if let Format::Csv = self.format {
            out.write_all(COLUMNS.as_bytes())?;
        }
        let mut export = audit::Export::begin(app, self.from, self.to).await?;
        loop {
            let rows = export.next(app).await?;
            if rows.is_empty() {
                return Ok(out.flush()?);
            }
            for line in rows.into_iter().map(ExportedLine::from) {
                let text = match self.format {
                    Format::Jsonl => json(&line)?,
                    Format::Csv => csv(&line),
                };
                out.write_all(text.as_bytes())?;
            }
        }
    }
}

/// Why printing ended early.
enum Printing {
    Io(std::io::Error),
    Flow(crate::flows::Error),
}

impl From<std::io::Error> for Printing {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<crate::flows::Error> for Printing {
    fn from(error: crate::flows::Error) -> Self {
        Self::Flow(error)
    }
}

fn json(line: &ExportedLine) -> Result<String, std::io::Error> {
    let mut text = plain::json(&serde_json::to_string(line)?);
    text.push('\n');
    Ok(text)
}

fn csv(line: &ExportedLine) -> String {
    let id = |id: &Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| plain::csv(text.as_deref().unwrap_or_default());
    let fields = [
        line.seq.to_string(),
        text(&line.at),
        text(&line.kind),
        text(&line.outcome),
        id(&line.actor),
        id(&line.subject),
        id(&line.session),
        text(&line.address),
        text(&line.user_agent),
        text(&line.request_id),
        text(&line.detail),
        id(&line.id),
        line.chain.clone().unwrap_or_default(),
    ];
    format!("{}\r\n", fields.join(","))
}
