#!/usr/bin/env python3
"""Writes the portable corpus: tokens, the keys and settings they are for, and the expected answers.

    generate.py                                   the committed corpus.jsonl, for a fixed clock
    generate.py --now "$(date +%s)" --instance http://127.0.0.1:8080 --out fresh.jsonl
                                                  the same cases for a library whose clock cannot be set

Needs the Python package `cryptography`. The same arguments give the same bytes: RS256 is deterministic,
and the private keys in test_keys.json were made for these tests only and protect nothing.
"""

import argparse
import base64
import hashlib
import hmac
import json
import pathlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

HERE = pathlib.Path(__file__).parent
NOW = 1_800_000_000
INSTANCE = "https://login.microsoftonline.com"
STS = "https://sts.windows.net"
TENANT = "11111111-2222-4333-8444-555555555555"
TENANT_2 = "22222222-3333-4444-8555-666666666666"
TENANT_3 = "33333333-4444-4555-8666-777777777777"
API = "aaaaaaaa-1111-4111-8111-111111111111"
CLIENT = "cccccccc-1111-4111-8111-111111111111"
GRAPH = "00000003-0000-0000-c000-000000000000"

# Sources.
RFC = "RFC {} section {}".format
LEARN = "learn.microsoft.com/entra/identity-platform/"
ACCESS = LEARN + "access-tokens"
CLAIMS = LEARN + "access-token-claims-reference"
VALIDATION = LEARN + "claims-validation"
ID_CLAIMS = LEARN + "id-token-claims-reference"
PERMISSIONS = LEARN + "scenario-protected-web-api-verification-scope-app-roles"


def b64(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    def __init__(self, pem):
        self.private = serialization.load_pem_private_key(pem.encode(), None)
        public = self.private.public_key()
        numbers = public.public_numbers()
        self.n = b64(numbers.n.to_bytes(256, "big"))
        self.e = b64(numbers.e.to_bytes(3, "big"))
        form = serialization.PublicFormat
        self.der = public.public_bytes(serialization.Encoding.DER, form.SubjectPublicKeyInfo)
        self.pem = public.public_bytes(serialization.Encoding.PEM, form.SubjectPublicKeyInfo)

    def jwk(self, kid, **more):
        return {"kty": "RSA", "use": "sig", "kid": kid, "n": self.n, "e": self.e, **more}

    def sign(self, signed, digest=hashes.SHA256, pss=False):
        how = padding.PKCS1v15()
        if pss:
            # No salt, so that the corpus is reproducible; PS256 is refused for its name.
            how = padding.PSS(mgf=padding.MGF1(digest()), salt_length=0)
        return self.private.sign(signed.encode(), how, digest())


PEMS = json.loads((HERE / "test_keys.json").read_text())["keys"]
KEY, KEY_2, TENANT_KEY, ATTACKER = (Key(PEMS[name]) for name in ("first", "second", "of_one_tenant", "attacker"))
DIGESTS = {"RS384": hashes.SHA384, "RS512": hashes.SHA512, "RS1": hashes.SHA1}


class Corpus:
    def __init__(self, now, instance, sts):
        self.now, self.instance, self.sts = now, instance, sts
        self.lines = []

    # Settings.

    def v2(self, tenant=TENANT):
        return f"{self.instance}/{tenant}/v2.0"

    def setting(self, name, what, *, issuer, audiences, tenants, versions, path, keys, **more):
        self.lines.append({
            "type": "settings", "id": name, "what": what, "now": self.now, "clock_skew_seconds": 300,
            "algorithms": ["RS256"], "issuer": issuer, "audiences": audiences, "tenants": tenants,
            "token_versions": versions, "discovery_path": f"/{path}/.well-known/openid-configuration",
            "discovery": {
                "issuer": issuer,
                "jwks_uri": f"{self.instance}/{path}/keys",
                "authorization_endpoint": f"{self.instance}/{path}/oauth2/authorize",
                "token_endpoint": f"{self.instance}/{path}/oauth2/token",
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            },
            "jwks": {"keys": keys},
            **more,
        })

    # Tokens.

    def header(self):
        return {"typ": "JWT", "alg": "RS256", "kid": "first"}

    def claims(self):
        return {
            "aud": API, "iss": self.v2(), "iat": self.now - 600, "nbf": self.now - 600, "exp": self.now + 3600,
            "azp": CLIENT, "azpacr": "1", "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "scp": "access_as_user", "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "tid": TENANT,
            "uti": "fqiBqXLPj0eQa82S-IYFAA", "ver": "2.0",
        }

    def token(self, header=None, claims=None, key=KEY, *, raw_header=None, raw_payload=None, text=None, sign=None):
        """`header` and `claims` set members (None removes one); the raw forms replace the whole text."""
        def edited(whole, edits):
            for name, value in (edits or {}).items():
                if value is REMOVED:
                    del whole[name]
                else:
                    whole[name] = value
            return json.dumps(whole, separators=(",", ":"))
        head = raw_header if raw_header is not None else edited(self.header(), header)
        payload = raw_payload if raw_payload is not None else edited(self.claims(), claims)
        signed = f"{b64(head)}.{b64(payload)}" if text is None else text(b64(head), b64(payload))
        signature = key.sign(signed) if sign is None else sign(signed)
        return f"{signed}.{signature if isinstance(signature, str) else b64(signature)}"

    def members(self, without=()):
        """The good token's claims as JSON text without braces, for raw payloads."""
        kept = {name: value for name, value in self.claims().items() if name not in without}
        return json.dumps(kept, separators=(",", ":"))[1:-1]

    # Cases.

    def case(self, name, level, expect, why, source, token, settings="single"):
        assert token.isascii() and " " not in token, name
        self.lines.append({
            "type": "case", "id": name, "settings": settings, "level": level, "expect": expect,
            "why": why, "source": source, "token": token,
        })

    def accept(self, name, why, source, token, level="jwt", **more):
        self.case(name, level, "accept", why, source, token, **more)

    def refuse(self, name, why, source, token, level="jwt", **more):
        self.case(name, level, "refuse", why, source, token, **more)


REMOVED = object()


def settings(c):
    public = [KEY.jwk("first"), KEY_2.jwk("second")]
    c.setting(
        "single", "One tenant, v2.0 tokens: what most APIs are.",
        issuer=c.v2(), audiences=[API], tenants=[TENANT], versions=["2.0"], path=f"{TENANT}/v2.0", keys=public,
    )
    c.setting(
        "v1", "The same tenant's v1.0 tokens, which have an issuer, an audience and a discovery document of their own.",
        issuer=f"{c.sts}/{TENANT}/", audiences=[f"api://{API}"], tenants=[TENANT], versions=["1.0"], path=TENANT,
        keys=public,
    )
    template = f"{c.instance}/{{tenantid}}/v2.0"
    c.setting(
        "tenants", "An API of several organizations: two tenants are allowed, and the keys of the document say whose they are.",
        issuer=template, audiences=[API], tenants=[TENANT, TENANT_2], versions=["2.0"], path="organizations/v2.0",
        keys=[KEY.jwk("first", issuer=template), TENANT_KEY.jwk("of_one_tenant", issuer=c.v2())],
        issuers=[c.v2(), c.v2(TENANT_2)],
    )


def good(c):
    c.accept("good", "Every other case changes one thing in this one.", ACCESS, c.token())
    c.accept("good_second_key", "The other published key signed it.", RFC(7517, "5"),
             c.token({"kid": "second"}, key=KEY_2))
    c.accept("good_typ_absent", "`typ` is optional.", RFC(7519, "5.1"), c.token({"typ": REMOVED}))
    c.accept("good_typ_at_jwt", "`at+jwt` is the type of JWT access tokens.", RFC(9068, "2.1"), c.token({"typ": "at+jwt"}),
             level="at")
    c.accept("good_x5t", "Entra writes `x5t` beside `kid` in v1.0 tokens.", ACCESS, c.token({"x5t": "first"}))
    c.accept("good_unknown_header_members", "Header members that are not understood must be ignored.", RFC(7515, "4"),
             c.token({"x": 1, "foo": {"bar": [1, None]}}))
    c.accept("good_unknown_claims", "Claims that are not understood must be ignored.", RFC(7519, "4"),
             c.token(claims={"x": 1, "foo": {"bar": [1, None, {"deep": [[[]]]}]}}))
    c.accept("good_escaped_claim_name", "An escaped name is the same name.", RFC(8259, "8.3"),
             c.token(raw_payload='{"i\\u0073s":' + json.dumps(c.v2()) + "," + c.members(["iss"]) + "}"))
    c.accept("good_white_space_in_json", "JSON may have white space between its parts.", RFC(8259, "2"),
             c.token(raw_payload=json.dumps(c.claims(), indent=2)))
    c.accept("good_exp_with_fraction", "A NumericDate may have a fraction.", RFC(7519, "2"),
             c.token(claims={"exp": c.now + 3600.5}))
    c.accept("good_exp_in_a_minute", "It has not expired yet.", RFC(7519, "4.1.4"), c.token(claims={"exp": c.now + 60}))
    c.accept("good_nbf_just_now", "It is valid from now on.", RFC(7519, "4.1.5"),
             c.token(claims={"nbf": c.now - 5, "iat": c.now - 5}))
    c.accept("good_unicode_name", "Texts are UTF-8.", RFC(7519, "7.1"),
             c.token(raw_payload='{"name":"Zoë 山田 😀",' + c.members() + "}"))
    c.accept("good_app_only", "An application's own token has roles and no scopes.", CLAIMS,
             c.token(claims={"scp": REMOVED, "roles": ["Tasks.Run"], "idtyp": "app"}), level="app")
    c.accept("good_200_groups", "Entra writes up to 200 groups into a token.", CLAIMS,
             c.token(claims={"groups": [f"aaaaaaaa-0000-4000-8000-{n:012}" for n in range(200)]}))
    c.accept("good_aud_list_of_one", "`aud` may be a list.", RFC(7519, "4.1.3"), c.token(claims={"aud": [API]}))
    c.accept("good_aud_among_others", "One of the values has to identify the API.", RFC(7519, "4.1.3"),
             c.token(claims={"aud": [API, "api://another"]}))


def algorithms(c):
    choice = RFC(8725, "3.1")
    empty = lambda signed: ""
    for number, spelling in enumerate(("none", "None", "NONE", "nOnE")):
        c.refuse(f"alg_none_spelling_{number + 1}", f"Unsigned: `alg` is `{spelling}`, the signature empty.", RFC(8725, "3.2"),
                 c.token({"alg": spelling}, sign=empty))
    c.refuse("alg_none_with_signature", "`none` with the signature of a good token behind it.", RFC(8725, "3.2"),
             c.token({"alg": "none"}, sign=lambda _: c.token().rsplit(".", 1)[1]))
    c.refuse("alg_none_two_parts", "`none`, and no second dot.", RFC(7515, "3.1"),
             c.token({"alg": "none"}, sign=empty).rstrip("."))
    c.refuse("alg_empty", "`alg` is an empty text.", RFC(7515, "4.1.1"), c.token({"alg": ""}))
    c.refuse("alg_absent", "`alg` must be present.", RFC(7515, "4.1.1"), c.token({"alg": REMOVED}))
    c.refuse("alg_null", "`alg` is null.", RFC(7515, "4.1.1"), c.token({"alg": None}))
    c.refuse("alg_list", "`alg` is a list.", RFC(7515, "4.1.1"), c.token({"alg": ["RS256"]}))
    c.refuse("alg_object", "`alg` is an object.", RFC(7515, "4.1.1"), c.token({"alg": {"RS256": None}}))
    c.refuse("alg_lower_case", "Names of algorithms are case-sensitive.", RFC(7515, "4.1.1"), c.token({"alg": "rs256"}))
    for name, digest in DIGESTS.items():
        c.refuse(f"alg_{name.lower()}", f"Well signed with {name}, which the settings do not allow.", choice,
                 c.token({"alg": name}, sign=lambda signed, digest=digest: KEY.sign(signed, digest)))
    c.refuse("alg_ps256", "Well signed with another padding, which the settings do not allow.", choice,
             c.token({"alg": "PS256"}, sign=lambda signed: KEY.sign(signed, pss=True)))
    for name in ("ES256", "EdDSA"):
        c.refuse(f"alg_{name.lower()}_of_zeros", "An elliptic-curve signature of zeros (CVE-2022-21449).", choice,
                 c.token({"alg": name}, sign=lambda _: bytes(64)))
    secrets = {
        "spki_der": KEY.der, "spki_pem": KEY.pem, "spki_pem_without_line_end": KEY.pem.rstrip(b"\n"),
        "jwk": json.dumps(KEY.jwk("first"), separators=(",", ":")).encode(), "modulus": KEY.n.encode(),
        "modulus_bytes": base64.urlsafe_b64decode(KEY.n + "=="), "empty": b"", "kid": b"first",
    }
    for name, secret in secrets.items():
        c.refuse(f"hs256_with_{name}", f"HMAC with something public as its secret: {name}.", RFC(8725, "2.1"),
                 c.token({"alg": "HS256"}, sign=lambda signed, secret=secret: hmac.digest(secret, signed.encode(), "sha256")))
    c.refuse("hmac_named_rs256", "HMAC with the public key as its secret, under the name RS256.", RFC(8725, "3.1"),
             c.token(sign=lambda signed: hmac.digest(KEY.pem, signed.encode(), hashlib.sha256)))


def signatures(c):
    broken = RFC(7515, "5.2")
    good = KEY.sign(".".join(c.token().split(".")[:2]))
    at = lambda data: lambda _: data
    c.refuse("signature_of_another_key", "Signed by an unknown key under the id of a known one.", broken, c.token(key=ATTACKER))
    c.refuse("signature_empty", "The signature is empty.", broken, c.token(sign=at("")))
    c.refuse("signature_absent", "There are two parts and no signature.", RFC(7515, "3.1"), ".".join(c.token().split(".")[:2]))
    for name, data in {
        "zeros": bytes(256), "one": bytes(255) + b"\x01", "ff": b"\xff" * 256, "one_byte": b"A", "cut": good[:-1],
        "longer": good + b"\0", "zero_in_front": b"\0" + good, "one_bit": good[:100] + bytes([good[100] ^ 1]) + good[101:],
    }.items():
        c.refuse(f"signature_{name}", f"The signature's bytes: {name}.", RFC(8017, "8.2.2"), c.token(sign=at(data)))
    c.refuse("signature_of_another_token", "The signature of another good token.", broken,
             c.token(claims={"oid": "00000000-0000-4000-8000-000000000001"}, sign=at(good)))
    c.refuse("payload_changed", "A scope was added after signing.", broken, c.token(claims={"scp": "access_as_user admin"}, sign=at(good)))
    c.refuse("header_changed", "The header was changed after signing.", broken, c.token({"x": 1}, sign=at(good)))
    pkcs = b"\x00\x01" + b"\xff" * 8 + b"\x00" + bytes.fromhex("3031300d060960864801650304020105000420")
    c.refuse("signature_encoding_unsigned", "A padded digest that no key raised to anything.", RFC(8017, "8.2.2"),
             c.token(sign=lambda signed: (pkcs + hashlib.sha256(signed.encode()).digest()).ljust(256, b"\0")))


def keys(c):
    untrusted = RFC(8725, "3.10")
    jwk = ATTACKER.jwk("first")
    c.refuse("kid_unknown", "No published key has that id.", RFC(7515, "4.1.4"), c.token({"kid": "unknown"}, key=ATTACKER))
    for name, kid in {
        "path": "../../../../dev/null", "sql": "first' OR '1'='1", "url": "https://attacker.example/key", "null_byte": "first\0",
        "template": "${jndi:ldap://attacker.example/a}", "empty": "", "long": "a" * 2000,
    }.items():
        c.refuse(f"kid_{name}", "A key id is compared, and used for nothing else.", untrusted, c.token({"kid": kid}, key=ATTACKER))
    for name, kid in {"list": ["first"], "number": 1, "object": {"first": 1}}.items():
        c.refuse(f"kid_{name}", "A key id is a text.", RFC(7515, "4.1.4"), c.token({"kid": kid}, key=ATTACKER))
    c.refuse("jwk_in_header", "The header brings the key that verifies it.", untrusted, c.token({"jwk": jwk}, key=ATTACKER))
    c.refuse("jwk_in_header_no_kid", "The same without `kid`.", untrusted, c.token({"jwk": jwk, "kid": REMOVED}, key=ATTACKER))
    c.refuse("jku_in_header", "The header names the address of the attacker's keys.", untrusted,
             c.token({"jku": "http://127.0.0.1:9/keys"}, key=ATTACKER))
    c.refuse("x5u_in_header", "The header names the address of a certificate.", untrusted,
             c.token({"x5u": "http://127.0.0.1:9/certificate"}, key=ATTACKER))
    c.refuse("x5c_in_header", "The header brings something as a certificate.", untrusted,
             c.token({"x5c": [base64.b64encode(ATTACKER.der).decode()]}, key=ATTACKER))


def form(c):
    strict, objects = RFC(7515, "5.2"), RFC(7519, "7.2")
    extension = RFC(7515, "4.1.11")
    c.refuse("crit_unknown", "A critical extension that is not understood.", extension,
             c.token({"crit": ["https://example.com/x"], "https://example.com/x": 1}))
    c.refuse("crit_name_absent", "The critical member is not in the header.", extension, c.token({"crit": ["exp"]}))
    c.refuse("b64_false", "JWTs must not have an unencoded payload.", RFC(7797, "7"), c.token({"crit": ["b64"], "b64": False}))
    c.refuse("jwe_with_public_key", "Five parts: encrypted for the API, which proves no issuer.", RFC(8725, "2.3"),
             ".".join([b64('{"alg":"RSA-OAEP","enc":"A256GCM","kid":"first"}'), b64(bytes(256)), b64(bytes(12)), b64("x" * 40), b64(bytes(16))]))
    c.refuse("four_parts", "A JWS has three parts.", RFC(7515, "7.1"), c.token() + ".AAAA")
    c.refuse("one_part", "No JWT at all.", RFC(7519, "7.2"), "0123456789abcdef")
    c.refuse("only_dots", "Three empty parts.", RFC(7519, "7.2"), "..")
    head, payload, signature = c.token().split(".")
    c.refuse("json_serialization", "A JWT has the compact serialization.", RFC(7519, "1"),
             json.dumps({"payload": payload, "protected": head, "signature": signature}, separators=(",", ":")))
    c.refuse("signature_padded", "Base64url in a JWS has no `=`.", strict, c.token(sign=lambda signed: b64(KEY.sign(signed)) + "=="))
    def unusual(make):
        # A payload whose length leaves a rest, so that padding has a place.
        for fill in range(3):
            token = c.token(claims={"fill": "?" * (fill + 3)}, text=make)
            if "=" in token or "/" in token:
                return token
        raise AssertionError("no such token")
    padded = lambda text: text + "=" * (-len(text) % 4)
    c.refuse("payload_padded", "Base64url in a JWS has no `=`; the signature is of that text.", strict,
             unusual(lambda head, payload: f"{head}.{padded(payload)}"))
    c.refuse("payload_in_base64", "`/` and `+` are not base64url; the signature is of that text.", strict,
             unusual(lambda head, payload: f"{head}.{payload.replace('_', '/').replace('-', '+')}"))
    c.refuse("payload_with_a_character_in_between", "Other characters are no base64url; the signature is of that text.", strict,
             c.token(text=lambda head, payload: f"{head}.{payload[:8]}!{payload[8:]}"))
    c.refuse("header_no_json", "The header is no JSON.", objects, c.token(raw_header="alg=RS256"))
    c.refuse("header_list", "The header is no object.", objects, c.token(raw_header='["RS256","first"]'))
    c.refuse("header_empty", "The header is empty.", objects, c.token(raw_header=""))
    all_members = c.members()
    for name, why, raw in [
        ("list", "The payload is no object.", "[{" + all_members + "}]"),
        ("text", "The payload is no object.", '"text"'),
        ("null", "The payload is no object.", "null"),
        ("empty", "The payload is empty.", ""),
        ("two_objects", "There is more behind the object.", "{" + all_members + "}{}"),
        ("trailing_comma", "JSON has no trailing comma.", "{" + all_members + ",}"),
        ("comment", "JSON has no comments.", "{/**/" + all_members + "}"),
        ("single_quotes", "JSON has no single quotes.", "{'x':1," + all_members + "}"),
        ("cut", "The object has no end.", "{" + all_members),
        ("control_character", "A control character must be escaped.", '{"x":"a\nb",' + all_members + "}"),
        ("nan", "NaN is not JSON.", '{"x":NaN,' + all_members + "}"),
        ("leading_zero", "A number has no leading zero.", '{"x":01,' + all_members + "}"),
        ("latin_1", "The payload is UTF-8.", ('{"x":"é",' + all_members + "}").encode("latin-1")),
        ("utf_16", "The payload is UTF-8.", ("{" + all_members + "}").encode("utf-16")),
        ("overlong_utf_8", "No character has two spellings in UTF-8.", b'{"x":"\xc0\xaf",' + all_members.encode() + b"}"),
    ]:
        c.refuse(f"payload_{name}", why, objects, c.token(raw_payload=raw))
    # Either a reader refuses duplicates, or it takes the last: both refuse these.
    last = RFC(7519, "4")
    for name, value in {"iss": c.v2(TENANT_3), "aud": GRAPH, "exp": c.now - 3600, "nbf": c.now + 7200}.items():
        c.refuse(f"{name}_twice_last_bad", "A name that is there twice: refuse it or take the last, which is bad.", last,
                 c.token(raw_payload="{" + all_members + f',"{name}":{json.dumps(value)}}}'))
    c.refuse("alg_twice_last_none", "The same of the header; the signature is empty.", RFC(7515, "4"),
             c.token(raw_header='{"alg":"RS256","kid":"first","alg":"none"}', sign=lambda _: ""))
    c.refuse("kid_twice_last_unknown", "The same of `kid`; an unknown key signed it.", RFC(7515, "4"),
             c.token(raw_header='{"alg":"RS256","kid":"first","kid":"unknown"}', key=ATTACKER))


def issuers(c):
    exact = RFC(8725, "3.8")
    issuer = c.v2()
    scheme, rest = issuer.split("://")
    host, path = rest.split("/", 1)
    for name, value in {
        "slash_behind": issuer + "/", "upper_case_host": f"{scheme.upper()}://{host.upper()}/{path}", "upper_case": issuer.upper(),
        "userinfo": f"{scheme}://{host}@attacker.example/{path}", "longer_host": f"{scheme}://{host}.attacker.example/{path}",
        "in_the_path": f"https://attacker.example/{issuer}", "dot_segment": issuer.replace("/v2.0", "/./v2.0"),
        "query": issuer + "?x", "fragment": issuer + "#x", "space_behind": issuer + " ", "line_end_behind": issuer + "\n",
        "null_byte_behind": issuer + "\0", "percent": issuer.replace("/v2.0", "/v2%2E0"), "cyrillic": issuer.replace("o", "о", 1)
        if "o" in issuer else issuer + "о", "template": issuer.replace(TENANT, "{tenantid}"), "common": issuer.replace(TENANT, "common"),
        "other_tenant": c.v2(TENANT_2), "empty": "", "prefix": issuer[:-5], "host_only": f"{scheme}://{host}",
    }.items():
        assert value != issuer, name
        c.refuse(f"iss_{name}", "An issuer is compared exactly.", exact, c.token(claims={"iss": value}))
    for name, value in {"list": [issuer], "list_with_others": [issuer, "x"], "object": {issuer: 1}, "number": 1, "true": True}.items():
        c.refuse(f"iss_{name}", "`iss` is a text.", RFC(7519, "4.1.1"), c.token(claims={"iss": value}))
    c.refuse("iss_absent", "The issuer must be validated.", ACCESS, c.token(claims={"iss": REMOVED}))
    c.refuse("iss_null", "Null is no issuer.", RFC(7519, "4.1.1"), c.token(claims={"iss": None}))
    c.refuse("v1_token_for_a_v2_api", "A token of the tenant's v1.0 issuer, where v2.0 is configured.", ACCESS,
             c.token(claims={"iss": f"{c.sts}/{TENANT}/", "ver": "1.0"}))


def audiences(c):
    exact = RFC(7519, "4.1.3")
    for name, value in {
        "of_another_api": "bbbbbbbb-1111-4111-8111-111111111111", "of_the_client": CLIENT, "of_graph": GRAPH,
        "upper_case": API.upper(), "slash_behind": API + "/", "space_behind": API + " ", "prefix": API[:-1], "longer": API + "0",
        "star": "*", "empty": "", "empty_list": [], "list_of_others": ["x", "y"], "list_in_a_text": f'["{API}"]',
        "two_in_a_text": f"x {API}", "commas_in_a_text": f"x,{API}", "null_byte_behind": API + "\0",
    }.items():
        c.refuse(f"aud_{name}", "The token is not for this API.", exact, c.token(claims={"aud": value}))
    for name, value in {"number": 1, "true": True, "object": {API: API}, "list_in_a_list": [[API]], "null": None}.items():
        c.refuse(f"aud_{name}", "`aud` is a text or a list of texts.", exact, c.token(claims={"aud": value}))
    c.refuse("aud_absent", "An API must check that a token is meant for it.", RFC(8725, "3.9"), c.token(claims={"aud": REMOVED}))


def lifetimes(c):
    ends, begins = RFC(7519, "4.1.4"), RFC(7519, "4.1.5")
    c.refuse("exp_an_hour_ago", "It has expired.", ends, c.token(claims={"exp": c.now - 3600, "nbf": c.now - 7200, "iat": c.now - 7200}))
    c.refuse("exp_zero", "It expired in 1970.", ends, c.token(claims={"exp": 0}))
    c.refuse("exp_negative", "It expired before 1970.", ends, c.token(claims={"exp": -1}))
    c.refuse("exp_absent", "An access token must expire.", RFC(9068, "2.2"), c.token(claims={"exp": REMOVED}), level="at")
    later = c.now + 3600
    for name, value in {"text": str(later), "null": None, "true": True, "list": [later], "object": {"$date": later}, "empty_text": ""}.items():
        c.refuse(f"exp_{name}", "`exp` is a number.", ends, c.token(claims={"exp": value}))
    rest = c.members(["exp"])
    for name, value in {"nan": "NaN", "infinity": "Infinity", "plus": f"+{later}", "underscores": "9_999_999_999", "hexadecimal": "0xFFFFFFFFF"}.items():
        c.refuse(f"exp_{name}", "That is no JSON number.", RFC(7519, "7.2"), c.token(raw_payload=f'{{"exp":{value},{rest}}}'))
    c.refuse("nbf_in_an_hour", "It is not valid yet.", begins, c.token(claims={"nbf": c.now + 3000}))
    c.refuse("nbf_text", "`nbf` is a number.", begins, c.token(claims={"nbf": "in an hour"}))
    c.refuse("nbf_list", "`nbf` is a number.", begins, c.token(claims={"nbf": [c.now - 600]}))


def kinds(c):
    """Tokens that are well signed by the authority for this audience, and no access tokens for an API."""
    confusion = RFC(8725, "3.12")
    id_token = {"azp": REMOVED, "azpacr": REMOVED, "scp": REMOVED, "nonce": "678910", "name": "Abe", "preferred_username": "abe@example.com"}
    c.refuse("id_token", "An ID token of a page that shares its registration with the API.", ID_CLAIMS, c.token(claims=id_token), level="id")
    c.refuse("id_token_with_roles", "The same with an app role.", ID_CLAIMS, c.token(claims={**id_token, "roles": ["Admin"]}), level="id")
    c.refuse("id_token_at_hash", "The same with the hash of an access token.", ID_CLAIMS,
             c.token(claims={**id_token, "roles": ["Admin"], "at_hash": "MTIzNDU2Nzg5MDEyMzQ1Ng"}), level="id")
    for name in ("dpop+jwt", "logout+jwt", "secevent+jwt", "oauth-authz-req+jwt"):
        c.refuse(f"typ_{name.split('+')[0]}", "Its type says that it is no access token.", confusion, c.token({"typ": name}), level="at")
    c.refuse("cnf_dpop", "Bound to a key by DPoP, presented as a bearer token.", RFC(9449, "7.1"),
             c.token(claims={"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}), level="bound")
    c.refuse("cnf_mtls", "Bound to a certificate, presented without it.", RFC(8705, "3"),
             c.token(claims={"cnf": {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}), level="bound")


def entra(c):
    c.refuse("tid_of_another_tenant", "`tid` must be the issuer's tenant.", VALIDATION, c.token(claims={"tid": TENANT_2}), level="entra")
    c.refuse("tid_absent", "Data is kept by `tid`; a token has it.", VALIDATION, c.token(claims={"tid": REMOVED}), level="entra")
    c.refuse("tid_list", "`tid` is a text.", CLAIMS, c.token(claims={"tid": [TENANT, TENANT_2]}), level="entra")
    c.refuse("ver_of_v1", "`ver` says 1.0 under a v2.0 issuer.", CLAIMS, c.token(claims={"ver": "1.0"}), level="entra")
    c.refuse("ver_absent", "`ver` is in every token of Entra.", CLAIMS, c.token(claims={"ver": REMOVED}), level="entra")
    none = {"scp": REMOVED}
    c.refuse("no_permissions", "Neither scopes nor roles: any client of the tenant can get it.", PERMISSIONS, c.token(claims=none), level="scope")
    c.refuse("empty_permissions", "The same with empty ones.", PERMISSIONS, c.token(claims={"scp": "", "roles": []}), level="scope")
    c.refuse("scope_in_another_claim", "Entra's scopes are in `scp`.", CLAIMS,
             c.token(claims={**none, "scope": "access_as_user"}), level="scope")


def v1(c):
    old = {"iss": f"{c.sts}/{TENANT}/", "aud": f"api://{API}", "ver": "1.0", "appid": CLIENT, "appidacr": "1", "azp": REMOVED, "azpacr": REMOVED}
    on = {"settings": "v1"}
    c.accept("v1_good", "A v1.0 token.", CLAIMS, c.token({"x5t": "first"}, old), **on)
    c.refuse("v1_iss_without_slash", "An issuer is compared exactly.", RFC(8725, "3.8"),
             c.token(claims={**old, "iss": f"{c.sts}/{TENANT}"}), **on)
    c.refuse("v1_iss_other_tenant", "Another tenant.", ACCESS, c.token(claims={**old, "iss": f"{c.sts}/{TENANT_2}/"}), **on)
    c.refuse("v1_aud_of_graph", "A v1.0 token for Graph.", RFC(7519, "4.1.3"),
             c.token(claims={**old, "aud": "https://graph.microsoft.com"}), **on)
    c.refuse("v1_expired", "It has expired.", RFC(7519, "4.1.4"), c.token(claims={**old, "exp": c.now - 3600}), **on)
    c.refuse("v1_v2_issuer", "A v2.0 token, where v1.0 is configured.", ACCESS,
             c.token(claims={**old, "iss": c.v2(), "ver": "2.0"}), **on)


def tenants(c):
    on = {"settings": "tenants", "level": "tenants"}
    of = lambda tenant: {"iss": c.v2(tenant), "tid": tenant}
    c.accept("tenants_first", "The first allowed tenant.", VALIDATION, c.token(claims=of(TENANT)), **on)
    c.accept("tenants_second", "The second allowed tenant.", VALIDATION, c.token(claims=of(TENANT_2)), **on)
    c.accept("tenants_key_of_the_tenant", "A key that the document gives to one tenant signed that tenant's token.", ACCESS,
             c.token({"kid": "of_one_tenant"}, of(TENANT), key=TENANT_KEY), **on)
    c.refuse("tenants_not_allowed", "A third tenant, well signed.", VALIDATION, c.token(claims=of(TENANT_3)), **on)
    personal = "9188040d-6c67-4c5b-b112-36a304b66dad"
    c.refuse("tenants_personal", "The tenant of personal accounts is not allowed.", CLAIMS, c.token(claims=of(personal)), **on)
    both = {"settings": "tenants", "level": "entra"}
    c.refuse("tenants_iss_and_tid_differ", "Issuer of one allowed tenant, `tid` of the other.", VALIDATION,
             c.token(claims={"iss": c.v2(TENANT), "tid": TENANT_2}), **both)
    c.refuse("tenants_tid_hides_the_issuer", "Issuer of a third tenant, `tid` of an allowed one.", VALIDATION,
             c.token(claims={"iss": c.v2(TENANT_3), "tid": TENANT}), **on)
    c.refuse("tenants_issuer_hides_the_tid", "Issuer of an allowed tenant, `tid` of a third one.", VALIDATION,
             c.token(claims={"iss": c.v2(TENANT), "tid": TENANT_3}), **both)
    c.refuse("tenants_template", "The template itself as the issuer.", ACCESS, c.token(claims={"iss": c.v2("{tenantid}")}), **on)
    c.refuse("tenants_common", "`common` is no issuer.", ACCESS, c.token(claims={"iss": c.v2("common")}), **on)
    c.refuse("tenants_tid_absent", "No tenant to compare with.", VALIDATION, c.token(claims={"tid": REMOVED}), **both)
    c.refuse("tenants_key_of_another_tenant", "A key that the document gives to one tenant signed the other's token.", ACCESS,
             c.token({"kid": "of_one_tenant"}, of(TENANT_2), key=TENANT_KEY), settings="tenants", level="key_issuer")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--now", type=int, default=NOW)
    parser.add_argument("--instance", default=INSTANCE, help="stands in front of the tenant in v2.0 issuers and documents")
    parser.add_argument("--sts", help="the same of v1.0 issuers")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "corpus.jsonl")
    given = parser.parse_args()
    sts = given.sts or (STS if given.instance == INSTANCE else given.instance)
    corpus = Corpus(given.now, given.instance.rstrip("/"), sts.rstrip("/"))
    for part in (settings, good, algorithms, signatures, keys, form, issuers, audiences, lifetimes, kinds, entra, v1, tenants):
        part(corpus)
    names = [line["id"] for line in corpus.lines]
    assert len(set(names)) == len(names), "a name is there twice"
    given.out.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in corpus.lines))


if __name__ == "__main__":
    main()
