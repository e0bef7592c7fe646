use clap::Args;
use serde::Serialize;
use symbolon_domain::audit::{AuditKind, Outcome};
use symbolon_domain::{SessionId, Timestamp, UserId};
use uuid::Uuid;

use super::super::Failed;
use super::super::output::Output;
use super::{plain, time};
use crate::app::App;
use crate::flows::audit::{self, AuditFilter, AuditRow};
use crate::flows::users;
use crate::rfc3339;

/// Most lines of one look into the store.
const PAGE: usize = 200;

#[derive(Args)]
pub(in crate::cli) struct List {
    /// What this user did, or what was done to them: id, e-mail address or username
    #[arg(long)]
    user: Option<String>,
    /// What this user did
    #[arg(long, value_name = "USER")]
    actor: Option<String>,
    /// What happened on this session
    #[arg(long, value_name = "ID")]
    session: Option<SessionId>,
    /// Such as login_failed
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<AuditKind>,
    /// success or failure
    #[arg(long)]
    outcome: Option<Outcome>,
    /// From this time on: RFC 3339, or a day
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,
    /// How many
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

/// A line as the command shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: Uuid,
    seq: Option<i64>,
    at: String,
    kind: &'static str,
    outcome: &'static str,
    actor: Option<String>,
    subject: Option<String>,
    session: Option<String>,
    address: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    detail: Option<String>,
}

impl List {
    pub(super) async fn run(self, app: &App, output: &Output) -> Result<(), Failed> {
        let filter = AuditFilter {
            user: user(app, self.user.as_deref()).await?,
            actor: user(app, self.actor.as_deref()).await?,
            session: self.session,
            kind: self.kind,
            outcome: self.outcome,
            from: self.from,
            to: self.to,
        };
        let mut shown: Vec<Shown> = Vec::new();
        let mut after = None;
        while shown.len() < self.limit {
            let limit = (self.limit - shown.len()).min(PAGE);
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            let page = audit::page(app, &filter, limit, after).await?;
            shown.extend(page.items.into_iter().map(Shown::from));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let rows: Vec<_> = shown.iter().map(Shown::cells).collect();
        let columns = [
            "AT", "KIND", "OUTCOME", "ACTOR", "SUBJECT", "ADDRESS", "DETAIL",
        ];
        output.table(&shown, columns, &rows)
    }
}

impl From<AuditRow> for Shown {
    fn from(row: AuditRow) -> Self {
        let event = row.event;
        Self {
            id: row.id,
            seq: row.seq,
            at: rfc3339::text(event.at),
            kind: event.kind.as_str(),
            outcome: event.kind.outcome().as_str(),
            actor: event.actor.map(|id| id.to_string()),
            subject: event.subject.map(|id| id.to_string()),
            session: event.session.map(|id| id.to_string()),
            address: event.address,
            user_agent: event.user_agent,
            request_id: event.request_id,
            detail: event.detail,
        }
    }
}

impl Shown {
    fn cells(&self) -> [String; 7] {
        let cell = |text: &Option<String>| plain::line(text.as_deref().unwrap_or_default());
        [
            self.at.clone(),
            self.kind.to_owned(),
            self.outcome.to_owned(),
            cell(&self.actor),
            cell(&self.subject),
            cell(&self.address),
            cell(&self.detail),
        ]
    }
}

/// A user who is gone is known by the id still.
async fn user(app: &App, reference: Option<&str>) -> Result<Option<UserId>, Failed> {
    let Some(reference) = reference else {
        return Ok(None);
    };
    if let Ok(id) = reference.parse() {
        return Ok(Some(id));
    }
    Ok(Some(users::find(app, reference).await?.id))
}

fn kind(text: &str) -> Result<AuditKind, String> {
    text.parse().map_err(|_| {
        let known: Vec<_> = AuditKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("the kinds are {}", known.join(", "))
    })
}
