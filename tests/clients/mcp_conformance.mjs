// The official conformance runner's server scenarios, against the sample with the layer and without it: what
// passes without the layer must pass with it. Run by .ci/mcp, which sets MCP_URL, BARE_URL and TOKEN.
//
// The runner sends no token, so a proxy on loopback adds it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import http from "node:http";

const { MCP_URL, BARE_URL, TOKEN } = process.env;
const RUNNER = "node_modules/@modelcontextprotocol/conformance/dist/index.js";

/** Those that need no tools of the runner's own. */
const SCENARIOS = [
  "server-initialize",
  "server-session-lifecycle",
  "server-stateless",
  "ping",
  "tools-list",
  "http-header-validation",
  "caching",
];

/**
 * What fails with the layer alone, and why that is meant: a method without a guard is 403 and not "method not found" (the
 * runner then takes it for one that is there), and a version that is no date is refused before the server sees it.
 */
const MEANT = [
  /^HttpServerMethodNotFound404/,
  /^HttpServerErrorJsonrpcId$/,
  /^ServerDeclaresPromptsInDiscover$/,
  /^ServerUnsupportedVersionError$/,
  /^WireSchemaValid$/,
];

function withToken() {
  const target = new URL(MCP_URL);
  const proxy = http.createServer((request, response) => {
    const headers = { ...request.headers, authorization: `Bearer ${TOKEN}` };
    const options = { host: target.hostname, port: target.port, path: request.url, method: request.method, headers };
    const sent = http.request(options, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    sent.on("error", () => response.destroy());
    response.on("close", () => sent.destroy());
    request.pipe(sent);
  });
  return new Promise((listening) => proxy.listen(0, "127.0.0.1", () => listening(proxy)));
}

/** How many checks of a scenario pass, of how many, and the names of those that fail. */
function run(scenario, url) {
  const runner = spawn(process.execPath, [RUNNER, "server", "--url", url, "--scenario", scenario]);
  let text = "";
  runner.stdout.on("data", (data) => (text += data));
  runner.stderr.on("data", (data) => (text += data));
  return new Promise((ended) =>
    runner.on("close", (code) => {
      const passed = text.match(/Passed: (\d+)\/(\d+)/);
      const failed = [...text.matchAll(/^ {2}- (\w+): /gm)].map((match) => match[1]);
      ended({ code, passed: passed ? `${passed[1]} of ${passed[2]}` : "none", failed });
    }),
  );
}

const proxy = await withToken();
const layered = `http://127.0.0.1:${proxy.address().port}/mcp`;
const wrong = [];
for (const scenario of SCENARIOS) {
  const bare = await run(scenario, `${BARE_URL}/mcp`);
  const guarded = await run(scenario, layered);
  const more = guarded.failed.filter((check) => !bare.failed.includes(check));
  const unmeant = more.filter((check) => !MEANT.some((meant) => meant.test(check)));
  const isGood = bare.passed !== "none" && guarded.passed !== "none" && unmeant.length === 0;
  const meant = more.length > 0 ? ` (by the rules of guards: ${more.join(", ")})` : "";
  console.log(`  ${isGood ? "ok " : "NO "} conformance ${scenario}: ${guarded.passed} with the layer, ${bare.passed} without${meant}`);
  if (!isGood) wrong.push(`${scenario}: ${unmeant.join(", ")}`);
}
proxy.closeAllConnections();
proxy.close();
assert.deepEqual(wrong, [], wrong.join("\n"));
