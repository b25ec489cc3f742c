// MSAL.js signs requests: the one it signed is accepted, once; every other is 401 `proof`.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";

const [authority, api] = process.argv.slice(2);
const tenant = "11111111-1111-4111-8111-111111111111";
const client = "75dbe77f-10a3-4e59-85fd-8c127544f17c";
const scope = "api://aaaaaaaa-1111-4111-8111-111111111111/access_as_user";

const entry = createRequire(import.meta.url).resolve("@azure/msal-browser");
let folder = dirname(entry);
while (!folder.endsWith("msal-browser")) folder = dirname(folder);
const library = await readFile(join(folder, "lib", "msal-browser.min.js"));

const html = `<!doctype html><title>client</title><script src="/msal.js"></script><script>
  globalThis.ready = (async () => {
    const app = new msal.PublicClientApplication({
      auth: {
        clientId: ${JSON.stringify(client)},
        authority: ${JSON.stringify(`${authority}/${tenant}`)},
        knownAuthorities: [${JSON.stringify(new URL(authority).host)}],
        redirectUri: location.origin + "/",
      },
      cache: { cacheLocation: "sessionStorage" },
    });
    await app.initialize();
    const result = await app.handleRedirectPromise();
    if (result) app.setActiveAccount(result.account);
    globalThis.app = app;
    return result && { type: result.tokenType, account: result.account.username };
  })();
</script>`;

const server = createServer((request, response) => {
  const script = request.url === "/msal.js";
  response.setHeader("content-type", script ? "text/javascript" : "text/html");
  response.end(script ? library : html);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const own = `http://localhost:${server.address().port}/`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});

/** Has MSAL sign a request, `ago` seconds ago by the page's clock. */
const sign = (page, method, url, ago = 0) =>
  page.evaluate(
    async ({ method, url, ago, scope }) => {
      const Real = Date;
      if (ago) {
        globalThis.Date = class extends Real {
          constructor(...given) {
            if (given.length) super(...given);
            else super(Real.now() - ago * 1000);
          }
          static now() {
            return Real.now() - ago * 1000;
          }
        };
      }
      try {
        const signed = await globalThis.app.acquireTokenSilent({
          scopes: [scope],
          authenticationScheme: "pop",
          resourceRequestMethod: method,
          resourceRequestUri: url,
        });
        return signed.accessToken;
      } finally {
        globalThis.Date = Real;
      }
    },
    { method, url, ago, scope },
  );

/** Sends it from the page, so that CORS is a browser's. */
const send = (page, method, url, authorization) =>
  page.evaluate(
    async ({ method, url, authorization }) => {
      const answer = await fetch(url, {
        method,
        headers: { authorization, ...(method === "POST" ? { "content-type": "application/json" } : {}) },
        body: method === "POST" ? JSON.stringify({ title: "signed" }) : undefined,
      });
      const body = await answer.json();
      return {
        status: answer.status,
        reason: body.reason ?? "in",
        challenge: answer.headers.get("www-authenticate"),
      };
    },
    { method, url, authorization },
  );

try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error}`));
  await page.goto(own);
  assert.equal(await page.evaluate(() => globalThis.ready), null);

  await page.evaluate(
    ({ scope, url }) => {
      globalThis.app.acquireTokenRedirect({
        scopes: [scope],
        authenticationScheme: "pop",
        resourceRequestMethod: "GET",
        resourceRequestUri: url,
      });
    },
    { scope, url: `${api}/me` },
  );
  await page.locator("label", { hasText: "alice" }).first().click();
  await page.locator("button", { hasText: "Sign in" }).click();
  await page.waitForURL((url) => url.href.startsWith(own));
  const signedIn = await page.evaluate(() => globalThis.ready);
  assert.equal(signedIn.type, "pop");
  console.log(`  ok  ${signedIn.account} has a token of the type pop`);

  const signed = await sign(page, "GET", `${api}/me`);
  const payload = JSON.parse(Buffer.from(signed.split(".")[1], "base64url"));
  assert.equal(payload.p, "/me/");
  assert.equal(payload.u, new URL(api).host);
  const rows = [
    ["the request that was signed", "GET", "/me", signed, 200, "in"],
    ["the same once more", "GET", "/me", signed, 401, "proof"],
    ["another method", "POST", "/todos", await sign(page, "GET", `${api}/todos`), 401, "proof"],
    ["another path", "GET", "/todos", await sign(page, "GET", `${api}/me`), 401, "proof"],
    ["five minutes later", "GET", "/me", await sign(page, "GET", `${api}/me`, 302), 401, "proof"],
    ["another query", "GET", "/me?a=2", await sign(page, "GET", `${api}/me?a=1`), 401, "proof"],
    ["the query that was signed", "GET", "/me?A=B", await sign(page, "GET", `${api}/me?A=B`), 200, "in"],
    ["POST with a body", "POST", "/todos", await sign(page, "POST", `${api}/todos`), 201, "in"],
    ["the list", "GET", "/todos", await sign(page, "GET", `${api}/todos`), 200, "in"],
  ];
  for (const [name, method, path, authorization, status, reason] of rows) {
    const answer = await send(page, method, `${api}${path}`, `PoP ${authorization}`);
    assert.deepEqual([answer.status, answer.reason], [status, reason], name);
    if (status === 401) assert.match(answer.challenge, /^PoP error="invalid_token"/, name);
    console.log(`  ok  ${name}: ${status} ${reason}`);
  }
  const token = payload.at;
  const bearer = await send(page, "GET", `${api}/me`, `Bearer ${token}`);
  assert.deepEqual([bearer.status, bearer.reason], [401, "sender_constrained"]);
  console.log("  ok  the token without the proof: 401 sender_constrained");
} finally {
  await browser.close();
  server.close();
}
