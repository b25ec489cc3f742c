// The inspector in a real browser: node .ci/browser/inspect.mjs URL TOKEN [SCREENSHOT]
import { run } from "./chromium.mjs";

const [url, token, screenshot] = process.argv.slice(2);

run("inspect", async ({ evaluate, until, expect, open, key, picture }) => {
  await open(`${url}/inspect`);
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
  await expect("a good token would be accepted", `${verdict} === "It would be accepted."`);
  await ask("POST /jobs");
  await expect("and refused where an application is wanted", `${verdict}.includes("app_only")`);
  await expect("the remedy is under the verdict", "document.querySelector('#remedy li').textContent.length > 20");
  await expect("and links the page of the reason", "document.querySelector('.remedy a').href.endsWith('errors.md#app_only')");
  await expect("the check that failed is marked", "document.querySelectorAll('#checks > .failed').length === 1");
  await expect("every check has a mark and a word", "[...document.querySelectorAll('#checks > li')].every((item) => item.querySelector('.mark').textContent && item.querySelector('.hidden').textContent)");
  if (screenshot) await picture(screenshot);
  await enter(token.slice(0, -8) + "AAAAAAAA");
  await ask("GET /me");
  await expect("an invalid signature is named", `${verdict}.includes("bad_signature")`);
  await expect("and its claims are marked as unverified", "document.querySelectorAll('.unverified').length > 3");
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
  await enter(token);
  await evaluate("document.getElementById('verdict').textContent = ''; document.getElementById('token').focus()");
  await key("Tab", 9);
  await expect("the next stop of the keyboard is the route", "document.activeElement.id === 'route'");
  await key("Tab", 9);
  await expect("then the button", "document.activeElement.id === 'ask'");
  await key("Enter", 13);
  await until("an answer by keyboard", "document.getElementById('verdict').textContent !== ''");
});
