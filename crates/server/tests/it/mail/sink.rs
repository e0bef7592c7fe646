//! A mail server that keeps what it takes, and says no when it is told to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What it says to the next mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Not now, after all of the mail was read.
    Later,
    /// Never.
    Never,
    /// It hangs up in the middle of the mail.
    HangUp,
    /// It takes the mail and hangs up before it says so.
    TakeAndHangUp,
}

#[derive(Default)]
struct Kept {
    mails: Vec<String>,
    recipients: Vec<String>,
    answers: VecDeque<Answer>,
    commands: Vec<String>,
}

pub struct Sink {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    /// Ends with the test.
    accepting: JoinSet<()>,
}

impl Sink {
    pub async fn start() -> Self {
        Self::on(
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            Arc::default(),
        )
    }

    fn on(listener: TcpListener, kept: Arc<Mutex<Kept>>) -> Self {
        let address = listener.local_addr().unwrap();
        let mut accepting = JoinSet::new();
        let shared = Arc::clone(&kept);
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&shared);
                connections.spawn(async move {
                    // Whoever hangs up has said what it had to say.
                    let _over = converse(stream, &kept).await;
                });
            }
        });
        Self {
            address,
            kept,
            accepting,
        }
    }

    /// Nobody answers any more.
    pub async fn stop(&mut self) {
        self.accepting.shutdown().await;
    }

    /// It answers again, at the same address.
    pub async fn resume(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        *self = Self::on(listener, Arc::clone(&self.kept));
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// What it says to the next mails, one each; then it takes them again.
    pub fn answer(&self, answers: &[Answer]) {
        self.kept.lock().unwrap().answers.extend(answers);
    }

    pub fn count(&self) -> usize {
        self.kept.lock().unwrap().mails.len()
    }

    pub fn since(&self, count: usize) -> Vec<String> {
        self.kept.lock().unwrap().mails[count..].to_vec()
    }

    /// Whom the envelopes were for.
    pub fn recipients(&self) -> Vec<String> {
        self.kept.lock().unwrap().recipients.clone()
    }

    /// All that was said to it outside of mails.
    pub fn commands(&self) -> Vec<String> {
        self.kept.lock().unwrap().commands.clone()
    }
}

async fn converse(stream: TcpStream, kept: &Mutex<Kept>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink.example.com ESMTP\r\n").await?;
    let mut recipient = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        kept.lock().unwrap().commands.push(line.clone());
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let said = match verb.as_str() {
            "EHLO" => "250-sink.example.com\r\n250-8BITMIME\r\n250 SMTPUTF8".to_owned(),
            "RCPT" => {
                recipient = line[9..].trim_matches(['<', '>']).to_owned();
                "250 ok".to_owned()
            }
            "DATA" => match take(&mut stream, kept, &recipient).await? {
                Some(said) => said,
                None => return Ok(()),
            },
            "STAR" => "454 4.7.0 TLS not available".to_owned(),
            "QUIT" => "221 bye".to_owned(),
            _ => "250 ok".to_owned(),
        };
        stream.write_all(format!("{said}\r\n").as_bytes()).await?;
    }
}

/// Reads a mail; nothing where it hangs up instead of answering.
async fn take(
    stream: &mut BufReader<TcpStream>,
    kept: &Mutex<Kept>,
    recipient: &str,
) -> std::io::Result<Option<String>> {
    stream.write_all(b"354 go on\r\n").await?;
    let answer = kept.lock().unwrap().answers.pop_front();
    if answer == Some(Answer::HangUp) {
        let _first = stream.read_u8().await?;
        return Ok(None);
    }
    let mut mail = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        if line == ".\r\n" {
            break;
        }
        // RFC 5321 section 4.5.2.
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
    let link = mail
        .find("token=")
        .map(|_| "with a link")
        .unwrap_or_default();
    Ok(match answer {
        Some(Answer::Later) => Some("451 4.3.0 come back later".to_owned()),
        Some(Answer::Never) => Some(format!("550 5.7.1 not here {link}")),
        other => {
            let mut kept = kept.lock().unwrap();
            kept.mails.push(mail);
            kept.recipients.push(recipient.to_owned());
            (other != Some(Answer::TakeAndHangUp)).then(|| "250 2.0.0 taken".to_owned())
        }
    })
}
