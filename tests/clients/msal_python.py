"""msal for Python signs in at a running emulator, as it would at Entra ID.

EMULATOR_URL  the emulator's https address (MSAL takes no other)
CA_FILE       the PEM file of its CA
API_URL       optional: a protected_api with this emulator as its authority
"""

import base64
import html.parser
import json
import os
import warnings
from urllib.parse import parse_qsl, urlsplit

import msal
import requests
from requests.adapters import HTTPAdapter

# Fixed ids of the emulator (crates/entra-emulator/src/seeds.rs).
TENANT = "11111111-1111-4111-8111-111111111111"
API = "aaaaaaaa-1111-4111-8111-111111111111"
API_SECRET = "emulator-api-secret"
CLI = "75dbe77f-10a3-4e59-85fd-8c127544f17c"
WEB = "eeeeeeee-1111-4111-8111-111111111111"
WEB_SECRET = "emulator-web-secret"
DAEMON = "bbbbbbbb-1111-4111-8111-111111111111"
DAEMON_SECRET = "emulator-secret"
ALICE = "alice@contoso.onmicrosoft.com"
PASSWORD = "emulator-password"
REDIRECT = "http://localhost:4711/callback"
SCOPES = [f"api://{API}/access_as_user"]
GRAPH = "https://graph.microsoft.com/"
STEP_UP = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'

BASE = os.environ["EMULATOR_URL"].rstrip("/")
API_URL = os.environ.get("API_URL", "").rstrip("/")


class WithPort(HTTPAdapter):
    """MSAL asks for the user's realm at the host without its port."""

    def send(self, request, **options):
        address = urlsplit(request.url)
        request.url = address._replace(netloc=urlsplit(BASE).netloc).geturl()
        return super().send(request, **options)


def session():
    """A browser, or MSAL's HTTP client: cookies of its own, trust in the emulator's CA."""
    http = requests.Session()
    http.trust_env = False
    http.verify = os.environ["CA_FILE"]
    http.mount(f"https://{urlsplit(BASE).hostname}/", WithPort())
    return http


class Page(html.parser.HTMLParser):
    """The form of the sign-in page: hidden fields, and the account that is picked already."""

    def __init__(self, text):
        super().__init__()
        self.fields, self.scripts = {}, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.scripts += tag == "script"
        is_picked = attributes.get("type") == "radio" and "checked" in attributes
        if tag == "input" and (attributes.get("type") == "hidden" or is_picked):
            self.fields[attributes["name"]] = attributes["value"]


def sign_in(browser, address):
    """What a person does: open the page, press the button, be sent back."""
    page = browser.get(address)
    assert page.status_code == 200, page.text
    page = Page(page.text)
    assert page.scripts == 0 and "account" in page.fields, page.fields
    answer = browser.post(address, data=page.fields, allow_redirects=False)
    if answer.status_code == 200:
        # response_mode=form_post: a page whose form leads to the client.
        assert f'action="{REDIRECT}"' in answer.text, answer.text
        return Page(answer.text).fields
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(REDIRECT)
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def token_of(answer):
    assert "access_token" in answer, answer
    return answer["access_token"]


def ok(sentence):
    print(f"  ok  msal-python {msal.__version__}: {sentence}", flush=True)


def call(path, token, expected):
    """What the API answers, if there is one."""
    if not API_URL:
        return
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(API_URL + path, headers=headers, timeout=20)
    assert answer.status_code == expected, f"{path}: {answer.status_code} {answer.text}"
    ok(f"GET {path}: {expected}")


def public(**options):
    options.setdefault("instance_discovery", False)
    authority = f"{BASE}/{TENANT}"
    return msal.PublicClientApplication(
        CLI, authority=authority, http_client=session(), **options
    )


def confidential(client, secret, **options):
    return msal.ConfidentialClientApplication(
        client,
        client_credential=secret,
        authority=f"{BASE}/{TENANT}",
        instance_discovery=False,
        http_client=session(),
        **options,
    )


def client_credentials():
    app = confidential(DAEMON, DAEMON_SECRET)
    token = token_of(app.acquire_token_for_client([f"api://{API}/.default"]))
    assert "idtyp" not in claims(token) and claims(token)["azp"] == DAEMON, claims(token)
    ok(f"client credentials: roles {claims(token)['roles']}")
    again = app.acquire_token_for_client([f"api://{API}/.default"])
    assert again["token_source"] == "cache", again["token_source"]
    ok("client credentials: the second one is from the cache")
    call("/me", token, 200)
    call("/todos", token, 403)
    refused = confidential(DAEMON, "wrong").acquire_token_for_client([f"api://{API}/.default"])
    assert refused["error_codes"] == [7000215], refused
    ok("client credentials: a wrong secret is AADSTS7000215")


def password():
    # The authority is looked up as MSAL looks up one of Microsoft's, but at the emulator.
    app = public(instance_discovery=f"{BASE}/common/discovery/instance")
    answer = app.acquire_token_by_username_password(ALICE, PASSWORD, SCOPES)
    token = token_of(answer)
    assert claims(token)["scp"] == "access_as_user"
    assert answer["id_token_claims"]["aud"] == CLI
    ok(f"user name and password: {answer['id_token_claims']['preferred_username']}")
    call("/me", token, 200)
    call("/todos", token, 200)
    refused = app.acquire_token_by_username_password(ALICE, "wrong", SCOPES)
    assert refused["error_codes"] == [50126], refused
    ok("user name and password: a wrong password is AADSTS50126")


def code_and_refresh():
    app, browser = public(), session()
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=REDIRECT, login_hint=ALICE)
    answer = sign_in(browser, flow["auth_uri"])
    # MSAL checks state and nonce here.
    tokens = app.acquire_token_by_auth_code_flow(flow, answer)
    token = token_of(tokens)
    ok(f"authorization code with PKCE: {tokens['id_token_claims']['name']}")
    call("/me", token, 200)
    call("/todos", token, 200)

    account = app.get_accounts()[0]
    assert account["username"] == ALICE, account
    cached = app.acquire_token_silent(SCOPES, account)
    assert cached["token_source"] == "cache"
    fresh = app.acquire_token_silent(SCOPES, account, force_refresh=True)
    assert token_of(fresh) != token and fresh["token_source"] == "identity_provider"
    ok("refresh token: a new access token")
    call("/todos", fresh["access_token"], 200)
    other = app.acquire_token_silent([f"api://{API}/Todo.Read"], account)
    assert claims(token_of(other))["scp"] == "Todo.Read"
    ok("refresh token: another scope")
    return app, account, browser


def step_up(app, browser):
    silent = app.initiate_auth_code_flow(
        SCOPES, redirect_uri=REDIRECT, login_hint=ALICE, prompt="none", claims_challenge=STEP_UP
    )
    answer = browser.get(silent["auth_uri"], allow_redirects=False)
    refused = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert refused["error"] == "interaction_required", refused
    flow = app.initiate_auth_code_flow(
        SCOPES, redirect_uri=REDIRECT, login_hint=ALICE, claims_challenge=STEP_UP
    )
    answer = sign_in(browser, flow["auth_uri"])
    tokens = app.acquire_token_by_auth_code_flow(flow, answer)
    assert claims(token_of(tokens))["acrs"] == ["c1"]
    ok("claims challenge: the new token has acrs c1")


def web_app():
    app, browser = confidential(WEB, WEB_SECRET, client_capabilities=["cp1"]), session()
    flow = app.initiate_auth_code_flow(
        SCOPES, redirect_uri=REDIRECT, login_hint=ALICE, response_mode="form_post"
    )
    tokens = app.acquire_token_by_auth_code_flow(flow, sign_in(browser, flow["auth_uri"]))
    found = claims(token_of(tokens))
    assert (found["azpacr"], found["xms_cc"]) == ("1", ["cp1"]), found
    ok("authorization code of a confidential client, as a form: xms_cc cp1")
    call("/me", tokens["access_token"], 200)


def on_behalf_of_and_revocation(app, account):
    assertion = token_of(app.acquire_token_silent(SCOPES, account))
    api = confidential(API, API_SECRET)
    wanted = [f"{GRAPH}User.ReadWrite"]
    token = token_of(api.acquire_token_on_behalf_of(assertion, wanted))
    headers, graph = {"Authorization": f"Bearer {token}"}, session()
    me = graph.get(f"{BASE}/graph/v1.0/me", headers=headers)
    assert me.json()["userPrincipalName"] == ALICE, me.text
    ok(f"on behalf of: Graph says {me.json()['displayName']}")
    revoked = graph.post(f"{BASE}/graph/v1.0/me/revokeSignInSessions", headers=headers)
    assert revoked.json()["value"] is True, revoked.text
    refused = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert refused["error_codes"] == [50173], refused
    ok("refresh token after revokeSignInSessions: AADSTS50173")


def main():
    # MSAL would rather have every code posted; a command line has it in the query.
    warnings.filterwarnings("ignore", message="response_mode='form_post' is recommended")
    client_credentials()
    password()
    app, account, browser = code_and_refresh()
    step_up(app, browser)
    web_app()
    on_behalf_of_and_revocation(app, account)


if __name__ == "__main__":
    main()
