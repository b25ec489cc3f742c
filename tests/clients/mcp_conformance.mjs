// The official conformance runner's server scenarios, against the server without the layer, with the layer and a
// guard for every method that the runner sends, and against the sample: what passes without the layer must pass
// with it. Run by .ci/mcp, which sets BARE_URL, GUARDED_URL with GUARDED_TOKEN, and MCP_URL with TOKEN.
//
// The runner sends no token, so a proxy on loopback adds it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import http from "node:http";

const { MCP_URL, BARE_URL, TOKEN, GUARDED_URL, GUARDED_TOKEN } = process.env;
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
 * What fails with the sample alone, and why that is meant: a method without a guard is 403 and not "method not found"
 * (the runner then takes it for one that is there), and the answer to a version that is no date lists no versions,
 * since the sample names none. None of it fails where the guards name the methods and the versions.
 */
const MEANT = [
  /^HttpServerMethodNotFound404/,
  /^HttpServerErrorJsonrpcId$/,
  /^ServerDeclaresPromptsInDiscover$/,
  /^ServerUnsupportedVersionError$/,
  /^WireSchemaValid$/,
];

function withToken(url, token) {
  const target = new URL(url);
  const proxy = http.createServer((request, response) => {
    const headers = { ...request.headers, authorization: `Bearer ${token}` };
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

const sample = await withToken(MCP_URL, TOKEN);
const configured = await withToken(GUARDED_URL, GUARDED_TOKEN);
const at = (proxy) => `http://127.0.0.1:${proxy.address().port}/mcp`;
const wrong = [];
for (const scenario of SCENARIOS) {
  const bare = await run(scenario, `${BARE_URL}/mcp`);
  const guarded = await run(scenario, at(configured));
  const ofSample = await run(scenario, at(sample));
  const more = (of) => of.failed.filter((check) => !bare.failed.includes(check));
  const unmeant = more(ofSample).filter((check) => !MEANT.some((meant) => meant.test(check)));
  const ran = [bare, guarded, ofSample].every((of) => of.passed !== "none");
  const isGood = ran && more(guarded).length === 0 && guarded.passed === bare.passed && unmeant.length === 0;
  const meant = more(ofSample).length > 0 ? ` (by the rules of guards: ${more(ofSample).join(", ")})` : "";
  console.log(
    `  ${isGood ? "ok " : "NO "} conformance ${scenario}: ${bare.passed} without the layer, ${guarded.passed} with a guard ` +
      `for every method, ${ofSample.passed} of the sample${meant}`,
  );
  if (!isGood) wrong.push(`${scenario}: ${[...more(guarded), ...unmeant].join(", ")}`);
}
for (const proxy of [sample, configured]) {
  proxy.closeAllConnections();
  proxy.close();
}
assert.deepEqual(wrong, [], wrong.join("\n"));
