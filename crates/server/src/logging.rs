//! Log lines on standard error, for people or for machines.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt;

use crate::config::{LogConfig, LogFormat};

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is none that is known.
    #[error("log.level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
}

/// Starts logging as configured, panics included. Where logging is running already (tests), this changes nothing.
///
/// # Errors
/// When the level cannot be read.
pub fn start(log: &LogConfig) -> Result<(), LogError> {
    let subscriber = subscriber(log, std::io::stderr, std::io::stderr().is_terminal())?;
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
    Ok(())
}

/// What a command warns of, beside what it prints itself.
pub fn start_for_command() {
    let log = LogConfig {
        format: LogFormat::Text,
        level: "symbolon=warn,symbolon_store=off".to_owned(),
    };
    // Warnings of a command are no reason not to run it.
    if let Ok(subscriber) = subscriber(&log, std::io::stderr, false) {
        let _running_already = tracing::subscriber::set_global_default(subscriber);
    }
}

fn subscriber<W>(
    log: &LogConfig,
    writer: W,
    colour: bool,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, LogError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let registry = tracing_subscriber::registry().with(log.level.parse::<Targets>()?);
    let layer = layer()
        // When standard error is closed, saying so on standard error would panic.
        .log_internal_errors(false)
        .with_ansi(colour)
        .with_writer(writer);
    Ok(match log.format {
        LogFormat::Text => Box::new(registry.with(layer)),
        LogFormat::Json => Box::new(registry.with(layer.json().flatten_event(true))),
    })
}

/// A panic is a fault like another: one line, in the format of the others.
fn log_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let at = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(at, "panic: {message}");
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log(format: LogFormat, level: &str) -> LogConfig {
        LogConfig {
            format,
            level: level.to_owned(),
        }
    }

    fn written(log: &LogConfig) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber = subscriber(log, move || writer.clone(), false).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(user = "u1", "signed in");
            tracing::debug!("not shown");
        });
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn text_is_one_line_without_colour() {
        let text = written(&log(LogFormat::Text, "info"));
        assert!(text.contains("signed in user=\"u1\""), "{text}");
        assert!(
            !text.contains('\x1b') && !text.contains("not shown"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = written(&log(LogFormat::Json, "info"));
        let object: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(
            (&object["message"], &object["user"]),
            (&"signed in".into(), &"u1".into())
        );
    }

    #[test]
    fn an_unknown_level_is_an_error() {
        assert!(
            start(&log(LogFormat::Text, "symbolon=loud"))
                .unwrap_err()
                .to_string()
                .starts_with("log.level: ")
        );
    }

    #[test]
    fn a_closed_standard_error_does_no_harm() {
        let subscriber = subscriber(&log(LogFormat::Text, "info"), || Broken, false).unwrap();
        tracing::subscriber::with_default(subscriber, || tracing::info!("lost"));
    }
}
