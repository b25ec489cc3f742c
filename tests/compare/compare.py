#!/usr/bin/env python3
"""Runs libraries on the portable corpus and writes what they answered. `.ci/compare` installs them and calls this.

    compare.py [--write] [NAME…]

Without names, all of `libraries.toml`. `--write` replaces results.json and the tables of docs/compare.md; without it
this tree's own library has to be faultless, and differences of others from results.json are told.
"""

import argparse
import datetime
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PORTABLE = ROOT / "tests/vectors/portable"
PAGE = ROOT / "docs/compare.md"
BUILT = pathlib.Path(os.environ.get("COMPARE_DIR", ROOT / "target/compare")).resolve()
OWN = "axum-entra"
MARKS = "<!-- compare: begin -->", "<!-- compare: end -->"


class Documents(http.server.ThreadingHTTPServer):
    """Serves the documents of all settings on loopback."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.texts = {}
        self.base = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """A library that closes a connection early is no news."""

    def publish(self, settings):
        for one in settings:
            path = one["discovery"]["jwks_uri"].removeprefix(self.base)
            self.texts[one["discovery_path"]] = json.dumps(one["discovery"]).encode()
            self.texts[path] = json.dumps(one["jwks"]).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        text = self.server.texts.get(self.path.split("?")[0])
        self.send_response(404 if text is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text or b"")))
        self.end_headers()
        self.wfile.write(text or b"")

    def log_message(self, *_):
        pass


def generate(*arguments):
    subprocess.run([sys.executable, PORTABLE / "generate.py", *map(str, arguments)], check=True)


def reproducible():
    """The committed corpus is what the generator writes."""
    again = BUILT / "again.jsonl"
    generate("--out", again)
    if again.read_bytes() != (PORTABLE / "corpus.jsonl").read_bytes():
        sys.exit("compare: FAILED: tests/vectors/portable/corpus.jsonl is not what generate.py writes")


def certificate():
    """For loopback, made now: a library that reads https only gets it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    files = BUILT / "tls.crt", BUILT / "tls.key"
    files[0].write_bytes(made.public_bytes(encoding))
    files[1].write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return {"TLS_CERT": str(files[0]), "TLS_KEY": str(files[1])}


def command(runner):
    kind, name = runner
    match kind:
        case "python" if name == "envoy":
            return [sys.executable, HERE / "runners/envoy_runner.py"], os.environ.get("ENVOY")
        case "python":
            return [sys.executable, HERE / "runners/python_runner.py", name], True
        case "node":
            return ["node", HERE / "runners/node_runner.mjs", name], os.environ.get("NODE_MODULES")
        case "rust":
            program = BUILT / "rust/debug/compare"
            return [program, name], program.exists()


def run(library, settings, cases, environment, documents):
    """The answers of one library; None if it could not run."""
    program, there = command(library["runner"])
    if not there:
        return None
    answers = {}
    for one in settings:
        wanted = [case for case in cases if case["settings"] == one["id"] and case["level"] in library["levels"]]
        if not wanted:
            continue
        given = {
            **os.environ, **environment, "SETTINGS": one["id"], "DISCOVERY": documents.base + one["discovery_path"],
            "JWKS": one["discovery"]["jwks_uri"],
        }
        done = subprocess.run(program, env=given, capture_output=True, text=True, timeout=240)
        for line in done.stdout.splitlines():
            if line.startswith('{"') and '"accepted"' in line:
                answer = json.loads(line)
                answers[answer["id"]] = answer
        missing = [case["id"] for case in wanted if case["id"] not in answers]
        if done.returncode or missing:
            print(f"skipped: {library['name']} did not answer {len(missing)} cases of {one['id']}: {done.stderr[-600:]}")
            return None
    return answers


def result(library, cases, answers):
    claimed = [case for case in cases if case["level"] in library["levels"]]
    wrong = [case for case in claimed if answers[case["id"]]["accepted"] != (case["expect"] == "accept")]
    levels = list(dict.fromkeys(case["level"] for case in cases))
    return {
        "name": library["name"], "version": library["version"], "settings_from": library["settings_from"],
        "cases": len(claimed),
        "wrongly_accepted": [case["id"] for case in wrong if case["expect"] == "refuse"],
        "wrongly_refused": [case["id"] for case in wrong if case["expect"] == "accept"],
        "crashed": [case["id"] for case in claimed if answers[case["id"]]["crashed"]],
        "not_claimed": [level for level in levels if level not in library["levels"]],
    }


def tables(results, cases):
    """The two tables of the page."""
    by_id = {case["id"]: case for case in cases}
    lines = [
        f"{len(cases)} cases, run on {results['date']} with `.ci/compare`.", "",
        "| library | version | cases of what it claims | wrongly accepted | wrongly refused | errors of other kinds | not claimed |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in results["libraries"]:
        lines.append("| {name} | {version} | {cases} | {a} | {r} | {c} | {n} |".format(
            **one, a=len(one["wrongly_accepted"]), r=len(one["wrongly_refused"]), c=len(one["crashed"]),
            n=", ".join(f"`{level}`" for level in one["not_claimed"]) or "–",
        ))
    for title, member in (("Wrongly accepted", "wrongly_accepted"), ("Wrongly refused", "wrongly_refused")):
        lines += ["", f"### {title}", "", "| case | why, and the source | libraries |", "|---|---|---|"]
        found = {}
        for one in results["libraries"]:
            for case in one[member]:
                found.setdefault(case, []).append(one["name"])
        for case in (case for case in by_id if case in found):
            lines.append(f"| `{case}` | {by_id[case]['why']} {by_id[case]['source']} | {'; '.join(found[case])} |")
    lines += ["", "### Settings", "", "| library | where its settings are shown |", "|---|---|"]
    lines += [f"| {one['name']} | {one['settings_from']} |" for one in results["libraries"]]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    BUILT.mkdir(parents=True, exist_ok=True)
    reproducible()
    documents = Documents()
    corpus = BUILT / "fresh.jsonl"
    libraries = tomllib.loads((HERE / "libraries.toml").read_text())["library"]
    if given.names:
        libraries = [one for one in libraries if one["name"] in given.names]
    environment = {"CORPUS": str(corpus), "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1", **certificate()}
    found, skipped = [], 0
    for library in libraries:
        # Fresh for each, since the case nearest to its end has a minute.
        generate("--now", int(time.time()), "--instance", documents.base, "--out", corpus)
        lines = [json.loads(line) for line in corpus.read_text().splitlines()]
        settings = [line for line in lines if line["type"] == "settings"]
        cases = [line for line in lines if line["type"] == "case"]
        documents.publish(settings)
        answers = run(library, settings, cases, environment, documents)
        if answers is None:
            print(f"skipped: {library['name']}")
            skipped += 1
            continue
        (BUILT / "answers").mkdir(exist_ok=True)
        (BUILT / f"answers/{library['runner'][1]}.json").write_text(json.dumps(answers, indent=1))
        one = result(library, cases, answers)
        found.append(one)
        print("{name} {version}: {cases} cases, {a} wrongly accepted, {r} wrongly refused, {c} crashed".format(
            **one, a=len(one["wrongly_accepted"]), r=len(one["wrongly_refused"]), c=len(one["crashed"])), flush=True)
    results = {"date": datetime.date.today().isoformat(), "libraries": found}
    for one in found:
        if one["name"] == OWN and (one["wrongly_accepted"] or one["wrongly_refused"] or one["crashed"]):
            sys.exit(f"compare: FAILED: this library differs: {one}")
    file = HERE / "results.json"
    if given.write:
        file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        before, rest = PAGE.read_text().split(MARKS[0])
        PAGE.write_text(f"{before}{MARKS[0]}\n{tables(results, cases)}\n{MARKS[1]}{rest.split(MARKS[1])[1]}")
    else:
        told = json.loads(file.read_text())["libraries"] if file.exists() else []
        told = {one["name"]: one for one in told}
        for one in found:
            if told.get(one["name"]) != one:
                print(f"differs from results.json: {one['name']}; `.ci/compare --write` takes it over")
    print(f"{len(found)} passed, 0 failed, {skipped} skipped")


main()
