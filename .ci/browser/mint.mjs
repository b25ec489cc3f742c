// Mints tokens on the emulator's page by clicking, and asks the API with them: node .ci/browser/mint.mjs EMULATOR API [FOLDER]
import { run } from "./chromium.mjs";

const [emulator, api, folder] = process.argv.slice(2);

run("mint", async ({ evaluate, expect, open, until, picture, look }) => {
  await look(1100, "light");
  const minted = async (fields) => {
    await open(`${emulator}/`);
    await evaluate(`{
      const form = document.querySelector("form[action='/mint']");
      for (const [name, value] of Object.entries(${JSON.stringify(fields)})) form.elements[name].value = value;
      form.querySelector("button").click();
    }`);
    await until("the token's page", "location.pathname === '/mint' && !!document.getElementById('token')");
    return evaluate("document.getElementById('token').value");
  };
  const status = async (path, method, token) => {
    const answer = await fetch(api + path, { method, headers: { authorization: `Bearer ${token}` } });
    return answer.status;
  };
  const want = (what, found, wanted) => {
    if (found !== wanted) throw new Error(`${what}: ${found}, not ${wanted}`);
    console.log(`  ok  ${what}: ${found}`);
  };
  const alice = await minted({ who: "user:alice", kind: "good" });
  if (folder) await picture(`${folder}/mint.png`);
  want("alice's token at GET /me", await status("/me", "GET", alice), 200);
  want("at POST /jobs", await status("/jobs", "POST", alice), 403);
  want("a daemon's at POST /jobs", await status("/jobs", "POST", await minted({ who: "app:daemon", kind: "good" })), 202);
  want("an expired one", await status("/me", "GET", await minted({ who: "user:alice", kind: "expired" })), 401);
  want("Microsoft Graph's", await status("/me", "GET", await minted({ who: "user:alice", kind: "graph" })), 401);
  want("an ID token", await status("/me", "GET", await minted({ who: "user:alice", kind: "id_token" })), 401);
  want("another tenant's", await status("/me", "GET", await minted({ who: "user:erin", kind: "good" })), 401);
  want("a v1.0 one", await status("/me", "GET", await minted({ who: "user:alice", kind: "v1" })), 200);
  want("with another scope at GET /todos", await status("/todos", "GET", await minted({ who: "user:alice", kind: "good", scope: "Other" })), 403);
  await open(`${emulator}/`);
  await expect("the page lists the tokens issued", "document.getElementById('issued').textContent.includes('alice') || document.getElementById('issued').textContent.includes('Alice')");
  await expect("and holds none of them", "!document.body.textContent.includes('eyJ')");
});
