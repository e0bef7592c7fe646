//! Requests that others make of the OpenAPI document: no answer is a fault of the server, and each is as the document says.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::super::place::Place;
use super::program::{CALLBACK, EMAIL, Stage, told};

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// However busy the machine is.
const PATIENCE: Duration = Duration::from_secs(900);

/// The same requests each time, a few for each operation; the stream of revocations has no end.
fn schemathesis(issuer: &str) -> Option<Command> {
    let python = told("SYMBOLON_TEST_PYTHON", "schemathesis")?;
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixed = "--max-examples 10 --seed 1 --no-shrink --phases examples,coverage,fuzzing --continue-on-failure \
                 --suppress-health-check all --request-timeout 60 --warnings off --exclude-path /api/revocations/stream";
    let mut command = Command::new(python.with_file_name("st"));
    command
        .arg("run")
        .arg(here.join("../../docs/openapi.json"))
        .args(["--url", issuer, "--checks", CHECKS])
        .args(fixed.split_whitespace())
        .env("SCHEMATHESIS_HOOKS", "schema_hooks")
        .env("PYTHONPATH", here.join("tests/clients"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Some(command)
}

#[test]
fn pypi_schemathesis_finds_nothing_that_the_document_does_not_say() {
    let place = Place::new().with("oauth.registration", "true");
    let server = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    let stage = Stage::of(place, server);
    let Some(mut command) = schemathesis(&stage.issuer()) else {
        return;
    };
    command.current_dir(stage.place.path(""));
    let admin = ["user", "set-roles", EMAIL, "--role", "admin"];
    stage.place.run(&admin).text();
    let words = format!(
        "--type confidential --grant authorization_code --grant refresh_token --grant client_credentials \
         --grant device_code --scope openid --redirect-uri {CALLBACK}"
    );
    let secret = stage.client("web", &words);
    let more = [("CLIENT_SECRET", &*secret)];
    stage.passes_within(PATIENCE, command, "web", &more);
}
