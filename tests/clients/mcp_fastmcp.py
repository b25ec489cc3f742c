"""FastMCP's client against the sample mcp_server and the emulator: first sign-in, step-up, two resources,
the hierarchy of scopes. Run by .ci/mcp, which sets MCP_URL, and TOKENS for an application whose tokens are
of v1.0."""

import asyncio
import base64
import html
import json
import os
import re
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

from fastmcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata

URL = os.environ["MCP_URL"]
TOKENS = os.environ.get("TOKENS", "2.0")
CLI = "75dbe77f-10a3-4e59-85fd-8c127544f17c"
REDIRECT = "http://localhost/callback"


def ok(text):
    print(f"  ok  FastMCP, tokens of v{TOKENS}: {text}")


class Stay(HTTPRedirectHandler):
    """Shows where a redirect leads and does not go there."""

    def redirect_request(self, *_):
        return None


def sign_in(address):
    """What a person does: open the page, pick alice, be sent back."""
    browser = build_opener(Stay)
    page = browser.open(address).read().decode()
    hidden = [tag for tag in re.findall(r"<input [^>]*>", page) if "type=hidden" in tag]
    assert hidden, page
    fields = {
        html.unescape(re.search(r'name="?([^"\s>]+)', tag)[1]): html.unescape(re.search(r'value="([^"]*)"', tag)[1])
        for tag in hidden
    }
    try:
        browser.open(address, urlencode(fields | {"account": "alice"}).encode())
    except HTTPError as answer:
        assert answer.code == 302, answer.read()
        return parse_qs(urlsplit(answer.headers["location"]).query)
    raise AssertionError("no redirect")


class Registered:
    """A client that was registered beforehand: Entra registers none on the fly."""

    def __init__(self):
        self.asked = []
        self.kept = None
        self.answer = None

    async def get_tokens(self):
        return self.kept

    async def set_tokens(self, tokens):
        self.kept = tokens

    async def get_client_info(self):
        return OAuthClientInformationFull(client_id=CLI, redirect_uris=[REDIRECT], token_endpoint_auth_method="none")

    async def set_client_info(self, info):
        raise AssertionError("nothing is registered on the fly")

    async def redirect(self, address):
        self.asked.append(parse_qs(urlsplit(address).query)["scope"][0])
        self.answer = await asyncio.to_thread(sign_in, address)

    async def callback(self):
        return AuthorizationCodeResult(code=self.answer["code"][0], state=self.answer["state"][0])

    def provider(self, url):
        metadata = OAuthClientMetadata(client_name="test", redirect_uris=[REDIRECT], token_endpoint_auth_method="none")
        return OAuthClientProvider(url, metadata, self, self.redirect, self.callback)


async def text(client, tool, **arguments):
    return (await client.call_tool(tool, arguments)).content[0].text


async def main():
    url = f"{URL}/mcp"
    registered = Registered()
    async with Client(url, auth=registered.provider(url)) as client:
        assert len(await client.list_tools()) == 5
        payload = registered.kept.access_token.split(".")[1]
        assert json.loads(base64.urlsafe_b64decode(payload + "=="))["ver"] == TOKENS
        assert (await text(client, "list_todos")).startswith("[")
        assert registered.asked[0].split()[0].endswith("/mcp/Todo.Read"), registered.asked
        ok("first sign-in with the scope of the 401's challenge")
        assert "to do" in await text(client, "add_todo", title="bread")
        assert "/mcp/Todo.ReadWrite" in registered.asked[-1], registered.asked
        asked = " ".join(scope.split("/")[-1] for scope in registered.asked[-1].split())
        ok(f"step-up on the 403, asking for {asked}")
        count = len(registered.asked)
        assert "bread" in await text(client, "list_todos")
        assert len(registered.asked) == count
        ok("the wider scope reads too")

    url = f"{URL}/reports/mcp"
    other = Registered()
    async with Client(url, auth=other.provider(url)) as client:
        assert await text(client, "report") == "all is well"
        assert other.asked[0].split()[0].endswith("/reports/mcp/Data.Read"), other.asked
        ok("the second resource, with a sign-in of its own")


asyncio.run(main())
