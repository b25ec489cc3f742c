"use strict";

const byId = (id) => document.getElementById(id);
const marks = { passed: ["✓", "passed"], failed: ["✗", "failed"], skipped: ["·", "not reached"] };

// Text goes into the page as text; nothing of a token is ever read as markup.
function decode(part) {
  const base64 = (part || "").replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return JSON.stringify(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), null, 2);
}

function show(id, part) {
  try {
    byId(id).textContent = part ? decode(part) : "";
  } catch {
    byId(id).textContent = "not base64url of a JSON object";
  }
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function check(step) {
  const [mark, word] = marks[step.outcome];
  const item = element("li", "", step.outcome);
  const sign = element("span", mark, "mark");
  sign.setAttribute("aria-hidden", "true");
  const body = element("div");
  body.append(element("strong", step.check), element("span", ` ${word}`, "hidden"));
  const facts = element("dl");
  facts.append(element("dt", "expected"), element("dd", step.expected));
  if (step.found) facts.append(element("dt", "found"), element("dd", step.found, step.verified ? "" : "unverified"));
  body.append(facts);
  item.append(sign, body);
  return item;
}

function remedy(explanation) {
  const box = element("div", "", "remedy");
  box.append(element("strong", "What to do"));
  const list = element("ul");
  for (const hint of explanation.hints) list.append(element("li", hint));
  box.append(list);
  if (explanation.page) {
    const link = element("a", `More about ${explanation.reason}`);
    link.href = explanation.page;
    link.rel = "noreferrer";
    box.append(link);
  }
  return box;
}

function tell(explanation) {
  const verdict = byId("verdict");
  verdict.textContent = explanation.accepted ? "It would be accepted." : `It would be refused: ${explanation.reason}`;
  verdict.className = explanation.accepted ? "good" : "bad";
  byId("remedy").replaceChildren(...(explanation.accepted ? [] : [remedy(explanation)]));
  byId("checks").replaceChildren(...explanation.steps.map(check));
}

async function ask() {
  const token = byId("token").value.trim();
  const response = await fetch("/inspect", {
    method: "POST",
    headers: { "x-inspect": "1" },
    body: new URLSearchParams({ token, route: byId("route").value }),
    cache: "no-store",
    credentials: "omit",
  });
  if (response.ok) {
    tell(await response.json());
  } else {
    byId("verdict").textContent = `The server answered ${response.status}.`;
    byId("verdict").className = "bad";
  }
}

byId("token").addEventListener("input", () => {
  const parts = byId("token").value.trim().split(".");
  show("header", parts[0]);
  show("claims", parts[1]);
});
byId("token").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask();
});
byId("ask").addEventListener("click", ask);
