"""Keys, signed tokens inside encrypted ones by jwcrypto, and changed ones: `make.py FOLDER`.

Writes key.pem (decryption), jwks.json (signature), private.json (both, for the other library), inner.txt and
tokens.jsonl. `make.py FOLDER changes` reads the tokens of both libraries, changes them, and has jwcrypto judge all.
"""

import base64
import json
import pathlib
import sys

from jwcrypto import jwe, jwk, jwt

FOLDER = pathlib.Path(sys.argv[1])
TENANT = "11111111-1111-4111-8111-111111111111"
API = "6e74172b-be56-4843-9ff4-e66a39bb12e3"
# The clock of the test, `T0` in tests/encrypted/world.rs.
NOW = 1_700_000_000
ALGS = ["RSA-OAEP", "RSA-OAEP-256"]
ENCS = ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def make() -> None:
    signing = jwk.JWK.generate(kty="RSA", size=2048, kid="key-1")
    encryption = jwk.JWK.generate(kty="RSA", size=2048)
    public = json.loads(signing.export_public()) | {"use": "sig"}
    (FOLDER / "jwks.json").write_text(json.dumps({"keys": [public]}))
    (FOLDER / "key.pem").write_bytes(encryption.export_to_pem(private_key=True, password=None))
    (FOLDER / "private.json").write_text(encryption.export_private())
    claims = {
        "aud": API, "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0", "tid": TENANT, "ver": "2.0",
        "iat": NOW - 100, "nbf": NOW - 100, "exp": NOW + 3600, "azp": API, "azpacr": "0", "sub": "s",
        "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "scp": "access_as_user",
    }
    signed = jwt.JWT(header={"alg": "RS256", "kid": "key-1", "typ": "JWT"}, claims=claims)
    signed.make_signed_token(signing)
    inner = signed.serialize()
    (FOLDER / "inner.txt").write_text(inner)
    with (FOLDER / "tokens.jsonl").open("w") as out:
        for alg in ALGS:
            for enc in ENCS:
                header = json.dumps({"alg": alg, "enc": enc, "cty": "JWT"})
                token = jwe.JWE(inner.encode(), header)
                token.add_recipient(encryption)
                out.write(json.dumps({"by": "jwcrypto", "alg": alg, "enc": enc, "token": token.serialize(compact=True)}) + "\n")


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at % len(changed)] ^= 1
    return bytes(changed)


def changes(token: str):
    parts = token.split(".")
    data = [unb64(part) for part in parts]
    header = json.loads(data[0])

    def part(index: int, value: bytes) -> str:
        return ".".join(b64(value) if index == at else old for at, old in enumerate(parts))

    for index, name in enumerate(["header", "key", "vector", "ciphertext", "tag"]):
        for at in (0, len(data[index]) // 2, -1):
            yield f"{name} {at}", part(index, flipped(data[index], at))
        yield f"{name} cut", part(index, data[index][:-1])
        yield f"{name} longer", part(index, data[index] + b"\0")
    for one, other in ((1, 3), (1, 4), (2, 4), (3, 4)):
        swapped = list(parts)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        yield f"{one} and {other} swapped", ".".join(swapped)
    for alg in ["RSA1_5", "dir", "none", "RSA-OAEP", "RSA-OAEP-256"]:
        if alg != header["alg"]:
            yield f"alg {alg}", part(0, json.dumps(header | {"alg": alg}).encode())
    for enc in [*ENCS, "A192GCM", "none"]:
        if enc != header["enc"]:
            yield f"enc {enc}", part(0, json.dumps(header | {"enc": enc}).encode())
    yield "crit", part(0, json.dumps(header | {"crit": ["exp"]}).encode())
    yield "zip", part(0, json.dumps(header | {"zip": "DEF"}).encode())


def judge() -> None:
    key = jwk.JWK.from_pem((FOLDER / "key.pem").read_bytes())
    inner = (FOLDER / "inner.txt").read_text()

    def accepted(token: str) -> bool:
        try:
            found = jwe.JWE()
            found.deserialize(token, key=key)
            return found.payload.decode() == inner
        except Exception:  # Whatever it says, it is no yes.
            return False

    lines = [json.loads(line) for line in (FOLDER / "tokens.jsonl").read_text().splitlines()]
    with (FOLDER / "half.jsonl").open("w") as out:
        for case in lines:
            out.write(json.dumps(case | {"change": None, "jwcrypto": accepted(case["token"])}) + "\n")
            for change, token in changes(case["token"]):
                out.write(json.dumps(case | {"change": change, "token": token, "jwcrypto": accepted(token)}) + "\n")


judge() if "changes" in sys.argv[2:] else make()
