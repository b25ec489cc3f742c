//! What the environment gives: settings, cases and addresses.

use serde_json::Value;

pub struct Case {
    pub id: String,
    pub token: String,
}

pub struct Given {
    pub settings: Value,
    pub cases: Vec<Case>,
    /// Address of the key document.
    pub jwks: String,
}

impl Given {
    pub fn read() -> Self {
        let var = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        let lines = std::fs::read_to_string(var("CORPUS")).expect("the corpus");
        let lines: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let id = var("SETTINGS");
        let settings = lines
            .iter()
            .find(|line| line["type"] == "settings" && line["id"] == *id)
            .expect("settings");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let cases = lines
            .iter()
            .filter(|line| line["type"] == "case" && line["settings"] == *id)
            .map(|line| Case {
                id: text(&line["id"]),
                token: text(&line["token"]),
            })
            .collect();
        Self {
            settings: settings.clone(),
            cases,
            jwks: var("JWKS"),
        }
    }

    pub fn issuer(&self) -> String {
        self.settings["issuer"]
            .as_str()
            .expect("an issuer")
            .to_owned()
    }

    pub fn audience(&self) -> String {
        self.settings["audiences"][0]
            .as_str()
            .expect("an audience")
            .to_owned()
    }

    pub fn skew(&self) -> u64 {
        self.settings["clock_skew_seconds"]
            .as_u64()
            .expect("seconds")
    }

    /// What stands in front of the tenant in addresses.
    pub fn instance(&self) -> String {
        let host = self.jwks.split('/').nth(2).expect("a host");
        format!("http://{host}/")
    }

    pub fn tenants(&self) -> Vec<&str> {
        let tenants = self.settings["tenants"].as_array().expect("tenants");
        tenants.iter().filter_map(Value::as_str).collect()
    }
}
