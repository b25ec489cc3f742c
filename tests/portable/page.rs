//! The page that compares libraries says what `.ci/compare` found.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::corpus;

#[derive(Deserialize)]
struct Results {
    date: String,
    libraries: Vec<Library>,
}

#[derive(Deserialize)]
struct Library {
    name: String,
    version: String,
    settings_from: String,
    cases: usize,
    wrongly_accepted: Vec<String>,
    wrongly_refused: Vec<String>,
    crashed: Vec<String>,
    not_claimed: Vec<String>,
}

fn rows(section: &str) -> Vec<&str> {
    section
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .collect()
}

#[test]
fn the_page_says_what_the_libraries_answered() {
    let results: Results = serde_json::from_str(include_str!("../compare/results.json")).unwrap();
    let page = include_str!("../../docs/compare.md");
    let (_, rest) = page.split_once("<!-- compare: begin -->").unwrap();
    let (tables, _) = rest.split_once("<!-- compare: end -->").unwrap();
    let (settings, cases) = corpus::read();
    assert!(tables.contains(&format!("{} cases, run on {}", cases.len(), results.date)));

    let sections: Vec<&str> = tables.split("\n### ").collect();
    let [counts, accepted, refused, from] = sections[..] else {
        panic!("four tables");
    };
    let told: Vec<String> = results
        .libraries
        .iter()
        .map(|one| {
            let claimed: Vec<String> = one
                .not_claimed
                .iter()
                .map(|level| format!("`{level}`"))
                .collect();
            let claimed = if claimed.is_empty() {
                "–".to_owned()
            } else {
                claimed.join(", ")
            };
            format!(
                "| {} | {} | {} | {} | {} | {} | {claimed} |",
                one.name,
                one.version,
                one.cases,
                one.wrongly_accepted.len(),
                one.wrongly_refused.len(),
                one.crashed.len(),
            )
        })
        .collect();
    assert_eq!(rows(counts), told);
    let told: Vec<String> = results
        .libraries
        .iter()
        .map(|one| format!("| {} | {} |", one.name, one.settings_from))
        .collect();
    assert_eq!(rows(from), told);

    type Ids = fn(&Library) -> &Vec<String>;
    let both: [(&str, Ids); 2] = [
        (accepted, |one| &one.wrongly_accepted),
        (refused, |one| &one.wrongly_refused),
    ];
    for (section, ids) in both {
        let mut found = BTreeMap::<&str, Vec<&str>>::new();
        for one in &results.libraries {
            for id in ids(one) {
                found.entry(id).or_default().push(&one.name);
            }
        }
        let told: Vec<String> = cases
            .iter()
            .filter_map(|case| {
                let names = found.get(&*case.id)?.join("; ");
                Some(format!(
                    "| `{}` | {} {} | {names} |",
                    case.id, case.why, case.source
                ))
            })
            .collect();
        assert_eq!(rows(section), told);
        assert_eq!(told.len(), found.len(), "a case of the corpus each");
    }

    // What the page says above the tables: no signature of another key is accepted.
    let unsigned = [
        "signature_",
        "alg_none",
        "hs256_",
        "hmac_",
        "kid_",
        "jwk_",
        "jku_",
        "x5",
    ];
    for one in &results.libraries {
        let mut forged = one
            .wrongly_accepted
            .iter()
            .filter(|id| unsigned.iter().any(|start| id.starts_with(start)));
        assert_eq!(
            forged.find(|id| *id != "signature_padded"),
            None,
            "{}",
            one.name
        );
    }

    // This library claims everything and gives every answer that is expected.
    let own = &results.libraries[0];
    assert_eq!(own.name, "axum-entra");
    assert_eq!(own.cases, cases.len());
    assert!(own.not_claimed.is_empty());
    assert!(
        own.wrongly_accepted.is_empty() && own.wrongly_refused.is_empty() && own.crashed.is_empty()
    );
    assert!(results.libraries.len() > 10 && !settings.is_empty());
}
