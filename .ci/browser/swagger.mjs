// Swagger UI under /docs: sign in with authorization code and PKCE, call a route, see what the guard says.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const base = process.argv[2];
const pictures = process.env.SCREENSHOTS;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

/** A page in a context of its own, so that nobody is signed in; it may speak to loopback alone. */
async function open() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 } });
  const outside = [];
  await context.route("**/*", (route) => {
    const { hostname, protocol } = new URL(route.request().url());
    if (protocol === "data:" || hostname === "127.0.0.1") return route.continue();
    outside.push(route.request().url());
    return route.abort();
  });
  const page = await context.newPage();
  await page.goto(`${base}/docs`);
  await page.locator(".opblock").first().waitFor();
  return { context, page, outside };
}

async function picture(page, name) {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png` });
}

/** Signs a user in through the dialog and the emulator's page. */
async function signIn({ context, page }, user) {
  await page.locator("button.authorize.unlocked").first().click();
  const section = page.locator(".auth-container", { hasText: "authorizationCode" });
  await picture(page, `${user}-1-dialog`);
  const scope = section.locator(".checkbox", { hasText: "/access_as_user" });
  // A styled checkbox: the label is what a person clicks.
  if (!(await scope.locator("input").isChecked())) await scope.locator("label").first().click();
  const [popup] = await Promise.all([
    context.waitForEvent("page"),
    section.locator("button.authorize", { hasText: "Authorize" }).click(),
  ]);
  await popup.waitForLoadState();
  const asked = new URL(popup.url()).searchParams;
  assert.equal(asked.get("response_type"), "code");
  assert.equal(asked.get("code_challenge_method"), "S256");
  assert.ok(asked.get("code_challenge"), "no PKCE challenge");
  assert.match(asked.get("scope"), /^api:\/\/.*\/access_as_user$/);
  await picture(popup, `${user}-2-sign-in`);
  await popup.locator("label", { hasText: user }).first().click();
  await Promise.all([
    popup.waitForEvent("close"),
    popup.locator("button", { hasText: "Sign in" }).click(),
  ]);
  await section.locator("button", { hasText: "Logout" }).waitFor();
  await page.locator("button.btn-done").first().click();
}

/** Executes an operation by its id, and gives its status and body. */
async function call(page, operation) {
  const block = page.locator(`[id$="-${operation}"].opblock`);
  if (!(await block.getAttribute("class")).includes("is-open")) {
    await block.locator(".opblock-summary-control").click();
  }
  await block.locator("button.execute").click();
  const answer = block.locator(".live-responses-table .response-col_status").nth(1);
  await answer.waitFor();
  await block.locator(".loading-container").waitFor({ state: "detached" });
  const status = (await answer.innerText()).split(/\s/)[0];
  const body = await block.locator(".live-responses-table .highlight-code").first().innerText();
  return { block, status, body };
}

async function expect(page, operation, status, part) {
  const answer = await call(page, operation);
  assert.equal(answer.status, String(status), `${operation}: ${answer.body}`);
  assert.ok(answer.body.includes(part), `${operation}: ${part} in ${answer.body}`);
  console.log(`  ok  ${operation}: ${status} ${part}`);
  return answer.block;
}

try {
  const nobody = await open();
  await picture(nobody.page, "page");
  console.log("nobody");
  await expect(nobody.page, "me", 401, "missing_token");
  assert.deepEqual(nobody.outside, [], "the page asked for something outside");

  const alice = await open();
  await signIn(alice, "alice");
  console.log("alice, who has the role Todo.Admin");
  await expect(alice.page, "me", 200, '"principal"');
  const seen = await expect(alice.page, "list_all", 200, "[");
  await seen.scrollIntoViewIfNeeded();
  await picture(alice.page, "alice-3-200");
  // The document says that only an application may call it, so the page sends no user's token.
  await expect(alice.page, "run_job", 401, "missing_token");

  const bob = await open();
  await signIn(bob, "bob");
  console.log("bob, who has not");
  await expect(bob.page, "list", 200, "[");
  const refused = await expect(bob.page, "list_all", 403, '"role"');
  await refused.scrollIntoViewIfNeeded();
  await picture(bob.page, "bob-3-403");
} finally {
  await browser.close();
}
