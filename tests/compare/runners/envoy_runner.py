"""Runs Envoy's filter jwt_authn on the cases of one settings. Environment and output are those of python_runner.py; ENVOY is the program."""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

LINES = [json.loads(line) for line in open(os.environ["CORPUS"], encoding="utf-8")]
SETTINGS = next(line for line in LINES if line["type"] == "settings" and line["id"] == os.environ["SETTINGS"])


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def configuration(port):
    kind = "type.googleapis.com/envoy.extensions.filters."
    provider = {
        "issuer": SETTINGS["issuer"], "audiences": SETTINGS["audiences"], "require_expiration": True,
        "clock_skew_seconds": SETTINGS["clock_skew_seconds"], "local_jwks": {"inline_string": json.dumps(SETTINGS["jwks"])},
    }
    return {"static_resources": {"listeners": [{
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": kind + "network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": "api",
                "http_filters": [
                    {"name": "envoy.filters.http.jwt_authn", "typed_config": {
                        "@type": kind + "http.jwt_authn.v3.JwtAuthentication", "providers": {"entra": provider},
                        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "entra"}}],
                    }},
                    {"name": "envoy.filters.http.router", "typed_config": {"@type": kind + "http.router.v3.Router"}},
                ],
                "route_config": {"virtual_hosts": [{"name": "api", "domains": ["*"], "routes": [{
                    "match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "hello"}},
                }]}]},
            },
        }]}],
    }]}}


def ask(port, token):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def main():
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "envoy.json"
        file.write_text(json.dumps(configuration(port)))
        program = subprocess.Popen(
            [os.environ["ENVOY"], "-c", str(file), "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "error"],
            stdout=sys.stderr,
        )
        try:
            for _ in range(200):
                try:
                    ask(port, "x")
                    break
                except OSError:
                    time.sleep(0.05)
            for case in LINES:
                if case["type"] != "case" or case["settings"] != SETTINGS["id"]:
                    continue
                status, said = ask(port, case["token"])
                print(json.dumps({
                    "id": case["id"], "accepted": status == 200, "crashed": status >= 500, "said": f"HTTP {status} {said}"[:200],
                }), flush=True)
        finally:
            program.terminate()
            program.wait(timeout=20)


main()
