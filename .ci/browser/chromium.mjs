// A headless Chromium over the DevTools protocol; needs node 20 and chromium, nothing installed.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const profile = mkdtempSync(join(tmpdir(), "chromium-"));
const browser = spawn(process.env.CHROMIUM ?? "chromium", [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe",
  `--user-data-dir=${profile}`, "--window-size=1100,1400",
], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const [, , , input, output] = browser.stdio;

let next = 1;
const waiting = new Map();
let rest = "";
output.on("data", (chunk) => {
  const messages = (rest + chunk).split("\0");
  rest = messages.pop();
  for (const message of messages.map((text) => JSON.parse(text))) {
    if (message.id) waiting.get(message.id)(message);
  }
});

async function send(method, params = {}, sessionId) {
  const id = next++;
  input.write(JSON.stringify({ id, method, params, sessionId }) + "\0");
  const message = await new Promise((resolve) => waiting.set(id, resolve));
  if (message.error) throw new Error(`${method}: ${message.error.message}`);
  return message.result;
}

// A tab, with what the tests of the pages need.
async function tab() {
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
      // While a page is being left, nothing can be asked.
      if (await evaluate(expression).catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`never: ${what}`);
  };
  const expect = async (what, expression) => {
    if (!(await evaluate(expression))) throw new Error(`not so: ${what}`);
    console.log(`  ok  ${what}`);
  };
  const open = async (url) => {
    await page("Page.navigate", { url });
    await until(`${url} is there`, `document.readyState === "complete" && location.href.startsWith(${JSON.stringify(url)})`);
  };
  const key = async (name, code) => {
    const text = name === "Enter" ? "\r" : undefined;
    await page("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", key: name, code: name, windowsVirtualKeyCode: code, text });
    await page("Input.dispatchKeyEvent", { type: "keyUp", key: name, code: name, windowsVirtualKeyCode: code });
  };
  // Width in CSS pixels, and the colours that the person's system asks for.
  const look = async (width, scheme) => {
    await page("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 });
    await page("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
    await new Promise((resolve) => setTimeout(resolve, 200));
  };
  const picture = async (file) => {
    const { data } = await page("Page.captureScreenshot", { format: "png" });
    writeFileSync(file, Buffer.from(data, "base64"));
  };
  await page("Page.enable");
  return { evaluate, until, expect, open, key, look, picture };
}

// Runs a test and ends the browser; the exit code says how it went.
export async function run(name, test) {
  try {
    await test(await tab());
  } catch (error) {
    console.error(`${name}: FAILED: ${error.message}`);
    process.exitCode = 1;
  } finally {
    browser.kill();
    await new Promise((resolve) => browser.once("exit", resolve));
    // Its helpers end a little later and can still write; what was tested does not fail by a folder that stays.
    try {
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    } catch (error) {
      console.error(`${name}: ${profile} stays: ${error.code}`);
    }
  }
}
