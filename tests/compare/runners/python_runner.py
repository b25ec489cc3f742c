"""Runs one Python library on the cases of one settings: `python_runner.py LIBRARY`.

Environment: CORPUS (a file as `generate.py` writes it), SETTINGS (an id in it), DISCOVERY and JWKS (addresses
on loopback). Prints one JSON line a case: its id, whether the token was accepted, and what the library said.
"""

import asyncio
import json
import logging
import os
import sys

logging.disable(logging.CRITICAL)

LINES = [json.loads(line) for line in open(os.environ["CORPUS"], encoding="utf-8")]
SETTINGS = next(line for line in LINES if line["type"] == "settings" and line["id"] == os.environ["SETTINGS"])
CASES = [line for line in LINES if line["type"] == "case" and line["settings"] == SETTINGS["id"]]
ISSUER, AUDIENCE = SETTINGS["issuer"], SETTINGS["audiences"][0]
SKEW = SETTINGS["clock_skew_seconds"]


def pyjwt():
    # pyjwt.readthedocs.io/en/stable/usage.html: "Retrieve RSA signing keys from a JWKS endpoint", "Requiring Presence of Claims".
    import jwt

    client = jwt.PyJWKClient(os.environ["JWKS"])

    def check(token):
        key = client.get_signing_key_from_jwt(token)
        jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER, leeway=SKEW,
                   options={"require": ["exp", "iss", "aud"]})
    return check, jwt.PyJWTError


def fetched():
    import urllib.request

    with urllib.request.urlopen(os.environ["JWKS"]) as answer:
        return json.load(answer)


def python_jose():
    # python-jose.readthedocs.io/en/latest/jwt/api.html: the options of `jwt.decode`.
    from jose import jwt
    from jose.exceptions import JOSEError

    keys = fetched()

    def check(token):
        jwt.decode(token, keys, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER,
                   options={"require_exp": True, "require_iss": True, "require_aud": True, "leeway": SKEW})
    return check, JOSEError


def joserfc():
    # jose.authlib.org/en/guide/jwt: "Validate claims", and `algorithms` of `jwt.decode`.
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    keys = KeySet.import_key_set(fetched())
    claims = jwt.JWTClaimsRegistry(
        leeway=SKEW, iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}, exp={"essential": True},
    )

    def check(token):
        claims.validate(jwt.decode(token, keys, algorithms=["RS256"]).claims)
    return check, JoseError


def authlib():
    # docs.authlib.org/en/latest/jose/jwt.html: "JWT Payload Claims Validation", "Use dynamic keys".
    from authlib.jose import JsonWebKey, JsonWebToken
    from authlib.jose.errors import JoseError

    keys = JsonWebKey.import_key_set(fetched())
    tokens = JsonWebToken(["RS256"])
    options = {
        "iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": AUDIENCE}, "exp": {"essential": True},
    }

    def check(token):
        tokens.decode(token, keys, claims_options=options).validate(leeway=SKEW)
    return check, JoseError


def authlib_rfc9068():
    # docs.authlib.org/en/latest/specs/rfc9068.html: JWTBearerTokenValidator.
    from authlib.common.errors import AuthlibBaseError
    from authlib.oauth2.rfc9068 import JWTBearerTokenValidator

    keys = fetched()

    class Validator(JWTBearerTokenValidator):
        def get_jwks(self):
            return keys

    validator = Validator(issuer=ISSUER, resource_server=AUDIENCE)

    def check(text):
        token = validator.authenticate_token(text)
        if token is None:
            raise AuthlibBaseError("no token")
        validator.validate_token(token, None, None)
    return check, AuthlibBaseError


def fastapi_azure_auth():
    # vibber-ai.github.io/fastapi-azure-auth: single-tenant "FastAPI configuration" (Security with scopes) and
    # multi-tenant "Accept specific tenants only" (iss_callable). The base class is the one that takes another document.
    import httpx
    from fastapi import FastAPI, Security
    from fastapi_azure_auth.auth import AzureAuthorizationCodeBearerBase
    from fastapi_azure_auth.exceptions import InvalidAuthHttp

    more = {"tenant_id": SETTINGS["tenants"][0]}
    if len(SETTINGS["tenants"]) > 1:
        allowed = dict(zip(SETTINGS["tenants"], SETTINGS["issuers"]))

        async def issuer(tid):
            try:
                return allowed[tid]
            except KeyError:
                raise InvalidAuthHttp("Tenant not allowed") from None
        more = {"multi_tenant": True, "iss_callable": issuer}
    scheme = AzureAuthorizationCodeBearerBase(
        app_client_id=AUDIENCE, openid_config_url=os.environ["DISCOVERY"], allow_guest_users=True, leeway=SKEW,
        scopes={"api://x/access_as_user": "access_as_user"}, **more,
    )
    app = FastAPI()

    @app.get("/", dependencies=[Security(scheme, scopes=["access_as_user"])])
    async def hello():
        return "hello"

    class Refused(Exception):
        pass

    async def send(token):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.get("/", headers={"Authorization": f"Bearer {token}"})

    def check(token):
        answer = asyncio.run(send(token))
        if answer.status_code >= 500:
            raise RuntimeError(f"HTTP {answer.status_code}")
        if answer.status_code != 200:
            raise Refused(f"HTTP {answer.status_code} {answer.text}")
    return check, Refused


def main():
    check, refusal = globals()[sys.argv[1]]()
    for case in CASES:
        line = {"id": case["id"], "accepted": False, "crashed": False}
        try:
            check(case["token"])
            line["accepted"] = True
        except refusal as error:
            line["said"] = f"{type(error).__name__}: {error}"[:200]
        except Exception as error:  # Not one of the library's own: an application answers 500.
            line["crashed"] = True
            line["said"] = f"{type(error).__name__}: {error}"[:200]
        print(json.dumps(line), flush=True)


main()
