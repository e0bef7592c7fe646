//! `symbolon config …`

use clap::Subcommand;

use super::output::{self, Output};
use super::{Common, Failed, load};
use crate::app::check_named;
use crate::config::{reference_json, reference_markdown};

/// Settings.
#[derive(Subcommand)]
pub(super) enum Settings {
    /// Read every setting and name all that is wrong
    Check,
    /// Print the value of every setting and where it comes from; secrets are not shown
    Show,
    /// Print the reference of all settings
    Reference,
}

impl Settings {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        match self {
            Self::Check => {
                let config = load(&common.sources())?;
                // What stops `serve`, in the same words.
                check_named(&config)?;
                output.done(&serde_json::json!({ "ok": true }), "The settings are good.")
            }
            Self::Show => {
                let config = common.settings().await?;
                let rows: Vec<_> = config
                    .show()
                    .iter()
                    .map(|setting| {
                        [
                            setting.name.to_owned(),
                            setting.value.clone(),
                            setting.source.clone(),
                        ]
                    })
                    .collect();
                output.table(&config.show(), ["SETTING", "VALUE", "SOURCE"], &rows)
            }
            Self::Reference if output.is_json() => output.value(&reference_json()),
            Self::Reference => output::raw(&reference_markdown()),
        }
    }
}
