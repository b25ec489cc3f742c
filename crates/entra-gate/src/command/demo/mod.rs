//! `entra-gate demo`: the gate at work, with everything that it needs.
#![allow(clippy::print_stdout, reason = "the program's purpose")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum_entra::EntraBuilder;
use axum_entra::settings::Settings;
use entra_emulator::{API_ID, CLI_ID, CONTOSO, DAEMON_ID, DAEMON_SECRET, Emulator, USER_PASSWORD};
use uuid::Uuid;

use super::serve::{Stop, gate, open, run};
use super::{Wrong, sample_service};
use crate::door::Door;
use crate::{server, status};

const RULES: &str = include_str!("rules.toml");
/// The same file as `deploy/gate/nginx.conf`.
const NGINX: &str = include_str!("nginx.conf");

/// Runs an emulator, a sample service and the gate, and prints lines to paste.
pub(crate) async fn demo(listen: SocketAddr) -> Result<(), Wrong> {
    let emulator = Emulator::start().await?;
    let text = emulator.settings().to_string();
    let settings = Settings::from_parts(Some(("the emulator", &text)), [])?;
    let entra = EntraBuilder::from_settings(&settings)?.build()?;
    let folder = Folder::new()?;
    let rules = folder.write("rules.toml", RULES)?;
    let metrics = status::install_recorder()?;
    let doors = vec![
        Door::Nginx,
        Door::Forward,
        Door::Envoy,
        Door::Haproxy,
        Door::Validate,
    ];
    let (mut gate, _) = gate(entra, &rules, doors)?;
    gate.metrics = Some(metrics);
    let (listener, address) = open("--listen", listen)?;
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (service, service_address) = open("the sample service", loopback)?;
    let proxy = free_address()?;
    let nginx = NGINX
        .replace("127.0.0.1:3000", &address.to_string())
        .replace("127.0.0.1:8080", &service_address.to_string())
        .replace("0.0.0.0:8000", &proxy.to_string());
    let nginx = folder.write("nginx.conf", &nginx)?;
    let stop = Stop::on_signals()?;
    println!("listening on http://{address}\n");
    println!("{}", lines(&emulator, address, &folder, &nginx, proxy));
    let sample = async move |request| sample_service::answer(&request);
    tokio::spawn(server::serve(service, 0, std::future::pending(), sample));
    run(Arc::new(gate), listener, None, stop).await;
    Ok(())
}

/// A port that is free at the moment, for a proxy that is started by hand.
fn free_address() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn lines(
    emulator: &Emulator,
    gate: SocketAddr,
    folder: &Folder,
    nginx: &Path,
    proxy: SocketAddr,
) -> String {
    let endpoint = emulator.token_endpoint(CONTOSO);
    let read = r#"sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p'"#;
    let ask = |method: &str, path: &str, token: &str| {
        format!(
            "curl -i -H 'X-Forwarded-Method: {method}' -H 'X-Forwarded-Uri: {path}' \
             -H 'X-Forwarded-Host: localhost' {token}http://{gate}/auth/forward"
        )
    };
    let alice = "-H \"Authorization: Bearer $ALICE\" ";
    let daemon = "-H \"Authorization: Bearer $DAEMON\" ";
    format!(
        "The emulator at {base} is the authority; the rules are in {rules}\n\
         and are read again when they change.\n\n\
         ALICE=$(curl -s {endpoint} -d grant_type=password -d client_id={CLI_ID} -d username=alice \
         -d password={USER_PASSWORD} -d scope=api://{API_ID}/Todo.Read | {read})\n\
         DAEMON=$(curl -s {endpoint} -d grant_type=client_credentials -d client_id={DAEMON_ID} \
         -d client_secret={DAEMON_SECRET} -d scope=api://{API_ID}/.default | {read})\n\n\
         As Caddy and Traefik ask:\n\
         # 200 with the caller in X-Entra-… headers\n{ok}\n\
         # 401 without a token\n{missing}\n\
         # 403: this scope does not write\n{write}\n\
         # 200: an application with the role Tasks.Run\n{jobs}\n\
         # 403: no rule is about this path\n{none}\n\
         # 400: proxy and service could read this path differently\n{odd}\n\
         # What a token says\n\
         curl -s {alice}http://{gate}/validate\n\n\
         With nginx installed, a sample service behind it (Ctrl-C ends it):\n\
         nginx -p {folder} -c {nginx} -g 'daemon off;'\n\
         curl -i {alice}http://{proxy}/todos/1",
        base = emulator.url(),
        rules = folder.0.join("rules.toml").display(),
        ok = ask("GET", "/todos/1", alice),
        missing = ask("GET", "/todos/1", ""),
        write = ask("POST", "/todos/1", alice),
        jobs = ask("POST", "/jobs", daemon),
        none = ask("GET", "/admin", alice),
        odd = ask("GET", "/todos/%2e%2e/admin", alice),
        folder = folder.0.display(),
        nginx = nginx.display(),
    )
}

/// A new folder for the demo's files, which goes when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let name = format!("entra-gate-demo-{}", Uuid::new_v4());
        let path = std::env::temp_dir().join(name);
        // Fails if it is there already: the files are this program's own.
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    fn write(&self, name: &str, text: &str) -> std::io::Result<PathBuf> {
        let path = self.0.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::rules::Rules;

    #[test]
    fn the_rules_of_the_demo_are_rules() {
        let rules = Rules::parse(Path::new("rules.toml"), RULES).unwrap();
        assert_eq!(rules.iter().count(), 5);
        assert_eq!(rules.warnings(), [""; 0]);
    }

    #[test]
    fn the_demo_runs_nginx_as_the_shipped_file_does() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/gate/nginx.conf");
        assert_eq!(std::fs::read_to_string(file).unwrap(), NGINX);
        for address in ["127.0.0.1:3000", "127.0.0.1:8080", "0.0.0.0:8000"] {
            assert!(NGINX.contains(address), "{address}");
        }
    }
}
