"use strict";

const byId = (id) => document.getElementById(id);
const marks = { passed: "✓", failed: "✗", not_reached: "·" };

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

function cell(row, text, name) {
  const cell = row.insertCell();
  cell.textContent = text || "";
  if (name) cell.className = name;
}

function tell(explanation) {
  const verdict = byId("verdict");
  verdict.textContent = explanation.accepted ? "It would be let in." : `It would be refused: ${explanation.reason}`;
  verdict.className = explanation.accepted ? "good" : "bad";
  byId("hints").replaceChildren(...explanation.hints.map((hint) => {
    const item = document.createElement("li");
    item.textContent = hint;
    return item;
  }));
  const body = byId("steps").tBodies[0];
  body.replaceChildren();
  for (const step of explanation.steps) {
    const row = body.insertRow();
    row.className = step.outcome;
    cell(row, marks[step.outcome], "mark");
    cell(row, step.check);
    cell(row, step.expected);
    cell(row, step.found, step.found && !step.verified ? "hearsay" : "");
  }
  byId("steps").hidden = false;
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
byId("ask").addEventListener("click", ask);
