// The official TypeScript SDK against the sample mcp_server and the emulator: first sign-in, step-up, two
// resources, a slash at the end, the hierarchy of scopes. Run by .ci/mcp, which sets MCP_URL, and TOKENS for
// an application whose tokens are of v1.0.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/package.json`);
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { UnauthorizedError } = require("@modelcontextprotocol/sdk/client/auth.js");

const { MCP_URL, TOKENS = "2.0" } = process.env;
const CLI = "75dbe77f-10a3-4e59-85fd-8c127544f17c";
const REDIRECT = "http://localhost/callback";

const ok = (text) => console.log(`  ok  TypeScript SDK, tokens of v${TOKENS}: ${text}`);

/** What a person does: open the page, pick alice, be sent back. */
async function signIn(address) {
  const page = await (await fetch(address)).text();
  const inputs = page.match(/<input [^>]*>/g);
  assert.ok(inputs, page);
  const unescape = (text) =>
    text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  const fields = inputs
    .filter((input) => /type=hidden/.test(input))
    .map((input) => [unescape(input.match(/name="?([^"\s]+)/)[1]), unescape(input.match(/value="([^"]*)"/)[1])]);
  const body = new URLSearchParams([...fields, ["account", "alice"]]);
  const answer = await fetch(address, { method: "POST", body, redirect: "manual" });
  assert.equal(answer.status, 302);
  return new URL(answer.headers.get("location")).searchParams.get("code");
}

/** A client that was registered beforehand: Entra registers none on the fly. */
class Registered {
  asked = [];
  get redirectUrl() { return REDIRECT; }
  get clientMetadata() { return { client_name: "test", redirect_uris: [REDIRECT], token_endpoint_auth_method: "none" }; }
  clientInformation() { return { client_id: CLI }; }
  tokens() { return this.kept; }
  saveTokens(tokens) { this.kept = tokens; }
  redirectToAuthorization(address) { this.address = address; this.asked.push(address.searchParams.get("scope")); }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  codeVerifier() { return this.verifier; }
}

/** A connection, with the sign-in where the server asks for it. */
async function connected(url, provider) {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const client = new Client({ name: "test", version: "1" });
    const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
    try {
      await client.connect(transport);
      return { client, transport };
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      await transport.finishAuth(await signIn(provider.address));
    }
  }
  throw new Error("the sign-in changed nothing");
}

/** A call, with a step-up where the tool asks for it. */
async function call({ client, transport }, provider, name, args = {}) {
  try {
    return await client.callTool({ name, arguments: args });
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await transport.finishAuth(await signIn(provider.address));
    return client.callTool({ name, arguments: args });
  }
}

const provider = new Registered();
const todo = await connected(`${MCP_URL}/mcp`, provider);
assert.match(provider.asked[0], /\/mcp\/Todo\.Read$/);
assert.equal(JSON.parse(atob(provider.tokens().access_token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).ver, TOKENS);
assert.equal((await todo.client.listTools()).tools.length, 5);
assert.equal((await call(todo, provider, "list_todos")).content[0].text, "[]");
assert.equal(provider.asked.length, 1);
ok("first sign-in with the scope of the 401's challenge");

assert.equal((await call(todo, provider, "add_todo", { title: "milk" })).content[0].text, "1 to do");
assert.equal(provider.asked.length, 2);
assert.match(provider.asked[1], /\/mcp\/Todo\.ReadWrite/);
ok(`step-up on the 403, asking for ${provider.asked[1].split(" ").map((scope) => scope.split("/").pop()).join(" ")}`);
assert.equal((await call(todo, provider, "list_todos")).content[0].text, '["milk"]');
assert.equal(provider.asked.length, 2);
ok("the wider scope reads too");

const other = new Registered();
const reports = await connected(`${MCP_URL}/reports/mcp`, other);
assert.match(other.asked[0], /\/reports\/mcp\/Data\.Read$/);
assert.equal((await call(reports, other, "report")).content[0].text, "all is well");
ok("the second resource, with a sign-in of its own");

const slashed = new Registered();
const slash = await connected(`${MCP_URL}/mcp/`, slashed);
assert.equal((await slash.client.listTools()).tools.length, 5);
assert.equal(slashed.address.searchParams.get("resource"), `${MCP_URL}/mcp`);
ok("a slash at the end: it asks for the resource that the document names");

for (const { transport } of [todo, reports, slash]) {
  await transport.terminateSession();
  await transport.close();
}
