// The inspector in a real browser: node .ci/browser/inspect.mjs URL TOKEN [SCREENSHOT]
// Speaks the DevTools protocol to a headless Chromium; needs node 20 and chromium, nothing installed.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [url, token, screenshot] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "inspect-"));
const browser = spawn(process.env.CHROMIUM ?? "chromium", [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe",
  `--user-data-dir=${profile}`, "--window-size=1100,1400",
], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const [, , , input, output] = browser.stdio;

let next = 1;
const waiting = new Map();
const events = [];
let rest = "";
output.on("data", (chunk) => {
  const messages = (rest + chunk).split("\0");
  rest = messages.pop();
  for (const message of messages.map((text) => JSON.parse(text))) {
    if (message.id) waiting.get(message.id)(message);
    else events.push(message);
  }
});

async function send(method, params = {}, sessionId) {
  const id = next++;
  input.write(JSON.stringify({ id, method, params, sessionId }) + "\0");
  const message = await new Promise((resolve) => waiting.set(id, resolve));
  if (message.error) throw new Error(`${method}: ${message.error.message}`);
  return message.result;
}

async function main() {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const page = (method, params) => send(method, params, sessionId);
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await page("Runtime.evaluate", {
      expression, awaitPromise: true, returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  const until = async (what, expression) => {
    for (let tries = 0; tries < 100; tries++) {
      if (await evaluate(expression)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`never: ${what}`);
  };
  const expect = async (what, expression) => {
    if (!(await evaluate(expression))) throw new Error(`not so: ${what}`);
    console.log(`  ok  ${what}`);
  };
  await page("Log.enable");
  await page("Page.enable");
  await page("Page.navigate", { url: `${url}/inspect` });
  await until("the page is there", "document.readyState === 'complete' && !!document.getElementById('ask')");

  const enter = (text) => evaluate(`{
    const field = document.getElementById("token");
    field.value = ${JSON.stringify(text)};
    field.dispatchEvent(new Event("input"));
  }`);
  const ask = async (route) => {
    await evaluate(`document.getElementById("verdict").textContent = "";
      document.getElementById("route").value = ${JSON.stringify(route)};
      document.getElementById("ask").click();`);
    await until("an answer", "document.getElementById('verdict').textContent !== ''");
  };
  const verdict = "document.getElementById('verdict').textContent";

  await enter(token);
  await expect("claims are decoded in the browser", "document.getElementById('claims').textContent.includes('\"aud\"')");
  await ask("GET /todos");
  await expect("a good token would be let in", `${verdict} === "It would be let in."`);
  await ask("POST /jobs");
  await expect("and refused where an application is wanted", `${verdict}.includes("app_only")`);
  if (screenshot) {
    const { data } = await page("Page.captureScreenshot", { format: "png" });
    writeFileSync(screenshot, Buffer.from(data, "base64"));
  }
  await enter(token.slice(0, -8) + "AAAAAAAA");
  await ask("GET /me");
  await expect("a spoilt signature is told", `${verdict}.includes("bad_signature")`);
  await expect("and its claims are marked as hearsay", "document.querySelectorAll('.hearsay').length > 3");
  const evil = btoa('{"alg":"<img src=x onerror=window.pwned=1>"}').replace(/=+$/, "");
  await enter(`${evil}.${evil}.AAAA`);
  await ask("GET /me");
  await expect("markup in a token stays text", "!window.pwned && !document.querySelector('img')");
  await expect("scripts in the page are forbidden", `(() => {
    const script = document.createElement("script");
    try { script.textContent = "window.pwned = 1"; } catch {}
    document.body.append(script);
    return !window.pwned;
  })()`);
  await expect("the token is not in the address", "!location.href.includes('eyJ')");
}

try {
  await main();
} catch (error) {
  console.error(`inspect: FAILED: ${error.message}`);
  process.exitCode = 1;
} finally {
  browser.kill();
  await new Promise((resolve) => browser.once("exit", resolve));
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
