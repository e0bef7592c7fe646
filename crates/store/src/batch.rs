use crate::statement::{Expect, Statement};
use crate::value::Value;
use crate::{Error, Store};

/// Writes that were decided beforehand and happen together or not at all.
///
/// Made by [`Store::batch`]. The verbs only collect; [`Batch::commit`] writes. Verbs that say so are
/// compare-and-set: if what they expect has changed, nothing of the batch is written and the commit is
/// [`Error::Stale`]. Statements run in the order of the verbs, save that lines of the audit log come behind them and
/// revocations last: what counts each is one row, which is to be locked as shortly as can be, and in the same order
/// by all.
#[derive(Debug)]
#[must_use = "nothing is written before the commit"]
pub struct Batch {
    store: Store,
    statements: Vec<Statement>,
    audit: Vec<Statement>,
    last: Vec<Statement>,
    reloads: bool,
}

impl Batch {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            statements: Vec::new(),
            audit: Vec::new(),
            last: Vec::new(),
            reloads: false,
        }
    }

    /// Writes everything that was collected, and returns once it is durable. The batch is empty afterwards,
    /// whatever came out. An empty batch is good.
    ///
    /// # Errors
    /// [`Error::Stale`], [`Error::Conflict`], [`Error::Busy`], [`Error::Fault`]: nothing was written, save that
    /// the last two leave it open if the answer got lost on the way.
    pub async fn commit(&mut self) -> Result<(), Error> {
        let mut statements = std::mem::take(&mut self.statements);
        statements.append(&mut self.audit);
        statements.append(&mut self.last);
        if std::mem::take(&mut self.reloads) {
            statements.push(crate::tables::feed::reload());
        }
        if statements.is_empty() {
            return Ok(());
        }
        self.store.write(statements).await.map(|_| ())
    }

    /// Whether nothing has been collected.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty() && self.audit.is_empty() && self.last.is_empty()
    }

    pub(crate) fn push<const N: usize>(
        &mut self,
        text: &'static str,
        expect: Expect,
        values: [Value; N],
    ) -> &mut Self {
        self.push_statement(Statement {
            text,
            values: values.into(),
            expect,
        })
    }

    pub(crate) fn push_statement(&mut self, statement: Statement) -> &mut Self {
        self.statements.push(statement);
        self
    }

    /// Behind everything that [`Self::push`] collects, and before what [`Self::push_last`] does.
    pub(crate) fn push_audit(&mut self, statement: Statement) -> &mut Self {
        self.audit.push(statement);
        self
    }

    /// Behind everything else.
    pub(crate) fn push_last<const N: usize>(
        &mut self,
        text: &'static str,
        expect: Expect,
        values: [Value; N],
    ) -> &mut Self {
        self.last.push(Statement {
            text,
            values: values.into(),
            expect,
        });
        self
    }

    /// Tells other processes to load again what they hold in memory.
    pub(crate) fn reloads(&mut self) -> &mut Self {
        self.reloads = true;
        self
    }
}
