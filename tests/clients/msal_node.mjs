// @azure/msal-node signs in at a running emulator, as it would at Entra ID.
//
// EMULATOR_URL         the emulator's https address (MSAL takes no other)
// NODE_EXTRA_CA_CERTS  the PEM file of its CA, read by Node itself
// API_URL              optional: a protected_api with this emulator as its authority

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

// The package lies where the driver installed it, not beside this file.
const require = createRequire(path.join(process.cwd(), "package.json"));
const { ConfidentialClientApplication, CryptoProvider, PublicClientApplication } =
  await import(require.resolve("@azure/msal-node"));
const version = require("@azure/msal-node/package.json").version;

// Fixed ids of the emulator (crates/entra-emulator/src/seeds.rs).
const TENANT = "11111111-1111-4111-8111-111111111111";
const API = "aaaaaaaa-1111-4111-8111-111111111111";
const API_SECRET = "emulator-api-secret";
const CLI = "75dbe77f-10a3-4e59-85fd-8c127544f17c";
const DAEMON = "bbbbbbbb-1111-4111-8111-111111111111";
const DAEMON_SECRET = "emulator-secret";
const ALICE = "alice@contoso.onmicrosoft.com";
const PASSWORD = "emulator-password";
const REDIRECT = "http://localhost:4711/callback";
const SCOPES = [`api://${API}/access_as_user`];
const STEP_UP = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

const BASE = process.env.EMULATOR_URL.replace(/\/$/, "");
const API_URL = (process.env.API_URL ?? "").replace(/\/$/, "");

const ok = (sentence) => console.log(`  ok  msal-node ${version}: ${sentence}`);

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

const auth = (clientId, clientSecret) => ({
  auth: {
    clientId,
    clientSecret,
    authority: `${BASE}/${TENANT}`,
    knownAuthorities: [new URL(BASE).host],
  },
});

/** What the API answers, if there is one. */
async function call(path, token, expected) {
  if (!API_URL) return;
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(API_URL + path, { headers });
  assert.equal(answer.status, expected, `${path}: ${await answer.text()}`);
  ok(`GET ${path}: ${expected}`);
}

/** What a person does: open the page, press the button, be sent back. */
async function signIn(address) {
  const page = await (await fetch(address)).text();
  const inputs = page.match(/<input [^>]*>/g).filter((input) => /type=hidden| checked/.test(input));
  const unescape = (text) =>
    text
      .replaceAll("&quot;", '"')
      .replaceAll("&#39;", "'")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&amp;", "&");
  const fields = inputs.map((input) => [
    unescape(input.match(/name="?([^"\s]+)/)[1]),
    unescape(input.match(/value="([^"]*)"/)[1]),
  ]);
  const body = new URLSearchParams(fields);
  const answer = await fetch(address, { method: "POST", body, redirect: "manual" });
  assert.equal(answer.status, 302);
  return new URL(answer.headers.get("location"));
}

async function clientCredentials() {
  const app = new ConfidentialClientApplication(auth(DAEMON, DAEMON_SECRET));
  const request = { scopes: [`api://${API}/.default`] };
  const { accessToken } = await app.acquireTokenByClientCredential(request);
  ok(`client credentials: roles ${claims(accessToken).roles}`);
  const again = await app.acquireTokenByClientCredential(request);
  assert.equal(again.fromCache, true);
  ok("client credentials: the second one is from the cache");
  await call("/me", accessToken, 200);
  await call("/todos", accessToken, 403);
}

async function password() {
  const app = new PublicClientApplication(auth(CLI));
  const request = { scopes: SCOPES, username: ALICE, password: PASSWORD };
  const answer = await app.acquireTokenByUsernamePassword(request);
  assert.equal(answer.account.username, ALICE);
  ok(`user name and password: ${answer.account.username}`);
  await call("/me", answer.accessToken, 200);
  await call("/todos", answer.accessToken, 200);
  const wrong = { ...request, password: "wrong" };
  await assert.rejects(app.acquireTokenByUsernamePassword(wrong), /AADSTS50126/);
  ok("user name and password: a wrong password is AADSTS50126");
}

async function withCode(app, more = {}) {
  const crypto = new CryptoProvider();
  const { verifier, challenge } = await crypto.generatePkceCodes();
  const [state, nonce] = [crypto.createNewGuid(), crypto.createNewGuid()];
  const address = await app.getAuthCodeUrl({
    scopes: SCOPES,
    redirectUri: REDIRECT,
    codeChallenge: challenge,
    codeChallengeMethod: "S256",
    loginHint: ALICE,
    state,
    nonce,
    ...more,
  });
  const back = await signIn(address);
  assert.equal(back.searchParams.get("state"), state);
  return app.acquireTokenByCode(
    {
      scopes: SCOPES,
      redirectUri: REDIRECT,
      codeVerifier: verifier,
      code: back.searchParams.get("code"),
      ...more,
    },
    { nonce },
  );
}

async function codeAndRefresh() {
  const app = new PublicClientApplication(auth(CLI));
  const answer = await withCode(app);
  assert.equal(answer.account.homeAccountId, `${answer.uniqueId}.${TENANT}`);
  ok(`authorization code with PKCE: ${answer.account.name}`);
  await call("/me", answer.accessToken, 200);
  await call("/todos", answer.accessToken, 200);

  const silent = { account: answer.account, scopes: SCOPES };
  const cached = await app.acquireTokenSilent(silent);
  assert.equal(cached.fromCache, true);
  const fresh = await app.acquireTokenSilent({ ...silent, forceRefresh: true });
  assert.notEqual(fresh.accessToken, answer.accessToken);
  ok("refresh token: a new access token");
  await call("/todos", fresh.accessToken, 200);

  const stronger = await withCode(app, { claims: STEP_UP });
  assert.deepEqual(claims(stronger.accessToken).acrs, ["c1"]);
  ok("claims challenge: the new token has acrs c1");
  return { app, silent, assertion: fresh.accessToken };
}

async function onBehalfOfAndRevocation({ app, silent, assertion }) {
  const api = new ConfidentialClientApplication(auth(API, API_SECRET));
  const scopes = ["https://graph.microsoft.com/User.ReadWrite"];
  const answer = await api.acquireTokenOnBehalfOf({ oboAssertion: assertion, scopes });
  const headers = { authorization: `Bearer ${answer.accessToken}` };
  const me = await (await fetch(`${BASE}/graph/v1.0/me`, { headers })).json();
  assert.equal(me.userPrincipalName, ALICE);
  ok(`on behalf of: Graph says ${me.displayName}`);
  const revoke = `${BASE}/graph/v1.0/me/revokeSignInSessions`;
  const revoked = await fetch(revoke, { method: "POST", headers });
  assert.equal((await revoked.json()).value, true);
  const refreshed = app.acquireTokenSilent({ ...silent, forceRefresh: true });
  await assert.rejects(refreshed, /AADSTS50173/);
  ok("refresh token after revokeSignInSessions: AADSTS50173");
}

await clientCredentials();
await password();
await onBehalfOfAndRevocation(await codeAndRefresh());
