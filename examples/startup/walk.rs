//! What a sample prints to try it: lines to paste, each with the status it will bring.

use std::fmt::Write;

use entra_emulator::{
    API_ID, CLI_ID, CONTOSO, DAEMON_ID, DAEMON_SECRET, Emulator, TokenBuilder, USER_PASSWORD,
};

/// Lines in the order they are to be pasted in.
pub(crate) struct Walk {
    emulator: Emulator,
    base: String,
    text: String,
}

impl Walk {
    pub(super) fn new(emulator: &Emulator, base: String) -> Self {
        Self {
            emulator: emulator.clone(),
            base,
            text: String::new(),
        }
    }

    /// The sample's own address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// A line that gets a user's token with these scopes into a variable.
    pub(crate) fn user(&mut self, variable: &str, user: &str, scopes: &str) -> &mut Self {
        self.user_with(variable, user, scopes, "")
    }

    /// The same, with more arguments for `curl`.
    pub(crate) fn user_with(
        &mut self,
        variable: &str,
        user: &str,
        scopes: &str,
        more: &str,
    ) -> &mut Self {
        let full: Vec<String> = scopes
            .split(' ')
            .map(|scope| match scope.contains("://") {
                true => scope.to_owned(),
                false => format!("api://{API_ID}/{scope}"),
            })
            .collect();
        self.get(
            variable,
            &format!(
                "-d grant_type=password -d client_id={CLI_ID} -d username={user} \
                 -d password={USER_PASSWORD} -d 'scope={}'{more}",
                full.join(" ")
            ),
        )
    }

    /// A line that gets the token of the app `daemon` into a variable.
    pub(crate) fn app(&mut self, variable: &str) -> &mut Self {
        self.get(
            variable,
            &format!(
                "-d grant_type=client_credentials -d client_id={DAEMON_ID} \
                 -d client_secret={DAEMON_SECRET} -d scope=api://{API_ID}/.default"
            ),
        )
    }

    fn get(&mut self, variable: &str, form: &str) -> &mut Self {
        let endpoint = self.emulator.token_endpoint(CONTOSO);
        self.line(&format!(
            "{variable}=$(curl -s {endpoint} {form} \
             | sed -n 's/.*\"access_token\": *\"\\([^\"]*\\)\".*/\\1/p')"
        ))
    }

    /// A token that takes a browser to get, made by the emulator right away.
    pub(crate) fn minted(&mut self, variable: &str, token: TokenBuilder) -> &mut Self {
        let token = token.mint();
        self.line(&format!("{variable}={token}"))
    }

    /// A request with the token of a variable, and the status it will bring.
    pub(crate) fn call(
        &mut self,
        status: u16,
        sentence: &str,
        variable: &str,
        request: &str,
    ) -> &mut Self {
        let header = format!("-H \"Authorization: Bearer ${variable}\" ");
        self.request(status, sentence, &header, request)
    }

    /// A request without a token.
    pub(crate) fn call_anonymously(
        &mut self,
        status: u16,
        sentence: &str,
        request: &str,
    ) -> &mut Self {
        self.request(status, sentence, "", request)
    }

    /// `METHOD /path`, and more arguments for `curl` behind them.
    fn request(&mut self, status: u16, sentence: &str, header: &str, request: &str) -> &mut Self {
        let (method, rest) = request.split_once(' ').unwrap_or(("GET", request));
        let (path, more) = rest.split_once(' ').unwrap_or((rest, ""));
        let method = match method {
            "GET" => String::new(),
            other => format!("-X {other} "),
        };
        let line = format!("curl -i {method}{header}{}{path} {more}", self.base);
        self.line(&format!("# {status} {sentence}\n{}", line.trim_end()))
    }

    fn line(&mut self, line: &str) -> &mut Self {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{line}");
        self
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}
