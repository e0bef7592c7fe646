//! What OAuth clients of people were given, and what is on its way to them.

pub(crate) mod authorizations;
pub(crate) mod codes;
pub(crate) mod consents;
pub(crate) mod devices;
pub(crate) mod logouts;

use symbolon_domain::Resource;
use symbolon_domain::oauth::Scopes;

use crate::Error;
use crate::value::Row;

pub use codes::{CodeRow, PushedRow};
pub use devices::DeviceRow;
pub use logouts::LogoutRow;

fn joined(resources: &[Resource]) -> String {
    let names: Vec<&str> = resources.iter().map(Resource::as_str).collect();
    names.join(" ")
}

fn read_scopes(row: &Row<'_>, column: usize) -> Result<Scopes, Error> {
    row.parsed(column, Scopes::kept)
}

fn read_resources(row: &Row<'_>, column: usize) -> Result<Vec<Resource>, Error> {
    row.parsed(column, |text| {
        let words = text.split(' ').filter(|word| !word.is_empty());
        words.map(Resource::parse).collect::<Result<_, _>>()
    })
}
