//! Signs in, and keeps the session in the file `session` for the next run.
//!
//! `session ISSUER register EMAIL NAME`, `login WHO`, `whoami`, `get URL`, `logout`, `logout-everywhere`. The password is the
//! first line of standard input.

use std::io::{self, Write as _};

use anyhow::{Context as _, Result, bail};
use symbolon_client::{Client, FileStore, Login, Registration, reqwest::Url};

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (issuer, command) = words.split_first().context("which issuer?")?;
    let mut builder = Client::builder(*issuer).store(FileStore::new("session"));
    if let ["get", url] = command {
        // The person at the keyboard decides who may see the token.
        let url = Url::parse(url)?;
        builder = builder.resource(url.origin().ascii_serialization());
    }
    let client = builder.build()?;
    let said = match command {
        ["register", email, name] => {
            let registration = Registration::new(*email, password()?).name(*name);
            let user = client.register(&registration).await?;
            format!("{} may sign in", user.email)
        }
        ["login", who] => {
            let login = Login::new(*who, password()?).device("example");
            let user = client.login(&login).await?;
            format!("{} is signed in", user.email)
        }
        ["whoami"] => match client.restore().await? {
            Some(user) => format!("{} is signed in", user.email),
            None => "nobody is signed in".to_owned(),
        },
        ["get", url] => client.get(url).await?.text().await?,
        ["logout"] => {
            client.logout().await?;
            "signed out".to_owned()
        }
        ["logout-everywhere"] => {
            client.logout_everywhere().await?;
            "signed out everywhere".to_owned()
        }
        _ => bail!("register EMAIL NAME, login WHO, whoami, get URL, logout or logout-everywhere"),
    };
    client.settle().await;
    writeln!(io::stdout(), "{said}")?;
    Ok(())
}

fn password() -> Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
