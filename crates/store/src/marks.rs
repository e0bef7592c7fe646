//! Settings that say of a database that it is the beginning or the end of a move. They stay where they are: no move
//! copies them, and no digest counts them.

/// In a database that is being filled: where from. Nobody opens it but who comes from the file that was left for it, which has
/// the same.
pub(crate) const MOVING_FROM: &str = "moving_from";
/// In one that was left: where to.
pub(crate) const MOVED_TO: &str = "moved_to";

pub(crate) const ALL: [&str; 2] = [MOVING_FROM, MOVED_TO];

/// Whether PostgreSQL's tables have other names, which is the last thing that a move out of it does.
pub(crate) const PUT_ASIDE: &str = "SELECT to_regclass('users') IS NULL";
