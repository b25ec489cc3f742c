// Runs one library for Node on the cases of one settings: `node_runner.mjs LIBRARY`. Environment and output are those of python_runner.py;
// TLS_CERT and TLS_KEY are a certificate for loopback, for a library that reads documents over https only.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import https from "node:https";
import path from "node:path";

// The libraries are installed elsewhere.
const require = createRequire(path.join(process.env.NODE_MODULES, "x.js"));
const lines = readFileSync(process.env.CORPUS, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const settings = lines.find((line) => line.type === "settings" && line.id === process.env.SETTINGS);
const cases = lines.filter((line) => line.type === "case" && line.settings === settings.id);
const { issuer, audiences: [audience], clock_skew_seconds: skew } = settings;

class Refused extends Error {}

// An application for express, asked over loopback.
async function express(...layers) {
  const app = require("express")();
  app.get("/", ...layers, (_, answer) => answer.send("hello"));
  app.use((error, _request, answer, _next) => answer.status(error.status ?? 500).send(String(error.message)));
  const server = app.listen(0, "127.0.0.1");
  await new Promise((ready) => server.once("listening", ready));
  const address = `http://127.0.0.1:${server.address().port}/`;
  return async (token) => {
    const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
    const text = await answer.text();
    if (answer.status >= 500) throw new Error(`HTTP ${answer.status} ${text}`);
    if (answer.status !== 200) throw new Refused(`HTTP ${answer.status} ${text}`);
  };
}

const libraries = {
  // github.com/panva/jose, docs/jwt/verify: "Usage with a remote JSON Web Key Set", options of jwtVerify.
  async jose() {
    const jose = await import(require.resolve("jose"));
    const keys = jose.createRemoteJWKSet(new URL(process.env.JWKS));
    return async (token) => {
      try {
        await jose.jwtVerify(token, keys, {
          issuer, audience, algorithms: ["RS256"], requiredClaims: ["exp"], clockTolerance: skew,
        });
      } catch (error) {
        if (error instanceof jose.errors.JOSEError) throw new Refused(error.message);
        throw error;
      }
    };
  },
  // auth0.github.io/node-oauth2-jwt-bearer, AuthOptions; README, "mTLS" (DPoP is on by default).
  async express_oauth2_jwt_bearer() {
    const { auth } = require("express-oauth2-jwt-bearer");
    return express(auth({
      issuer, jwksUri: process.env.JWKS, audience, tokenSigningAlg: "RS256", clockTolerance: skew,
      getCertificate: () => undefined,
    }));
  },
  // github.com/auth0/express-jwt, README "Retrieve the secret dynamically"; github.com/auth0/node-jwks-rsa, EXAMPLES.
  async express_jwt() {
    const { expressjwt } = require("express-jwt");
    const secret = require("jwks-rsa").expressJwtSecret({
      cache: true, rateLimit: true, jwksRequestsPerMinute: 1000, jwksUri: process.env.JWKS,
    });
    return express(expressjwt({ secret, audience, issuer, algorithms: ["RS256"], clockTolerance: skew }));
  },
  // github.com/awslabs/aws-jwt-verify, README "Verifying JWTs from any OIDC-compatible IDP", "Loading the JWKS from file".
  async aws_jwt_verify() {
    const { JwtVerifier } = require("aws-jwt-verify");
    const { JwtBaseError } = require("aws-jwt-verify/error");
    const verifier = JwtVerifier.create({ issuer, audience, jwksUri: "https://127.0.0.1:9/keys", graceSeconds: skew });
    verifier.cacheJwks(await (await fetch(process.env.JWKS)).json());
    return async (token) => {
      try {
        await verifier.verify(token);
      } catch (error) {
        if (error instanceof JwtBaseError) throw new Refused(error.message);
        throw error;
      }
    };
  },
  // github.com/AzureAD/passport-azure-ad, README 4.2 "BearerStrategy". It reads documents over https only.
  async passport_azure_ad() {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    process.removeAllListeners("warning");
    // The documents themselves come from there too.
    const keys = await (await fetch(process.env.JWKS)).text();
    const server = https.createServer(
      { cert: readFileSync(process.env.TLS_CERT), key: readFileSync(process.env.TLS_KEY) },
      (request, answer) => answer.setHeader("content-type", "application/json").end(request.url === "/keys" ? keys : JSON.stringify(discovery)),
    );
    await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
    const discovery = { ...settings.discovery, jwks_uri: `https://127.0.0.1:${server.address().port}/keys` };
    const many = settings.tenants.length > 1;
    const address = `https://127.0.0.1:${server.address().port}/${many ? "common" : settings.tenants[0]}/v2.0/.well-known/openid-configuration`;
    const passport = require("passport");
    const { BearerStrategy } = require("passport-azure-ad");
    passport.use(new BearerStrategy({
      identityMetadata: address, clientID: audience, audience, validateIssuer: true, issuer: many ? settings.issuers : issuer,
      scope: ["access_as_user"], clockSkew: skew, loggingLevel: "fatal", passReqToCallback: false,
    }, (token, done) => done(null, { id: token.oid ?? token.sub ?? "?" }, token)));
    return express(passport.initialize(), passport.authenticate("oauth-bearer", { session: false }));
  },
};

console.warn = () => {};
const check = await libraries[process.argv[2]]();
for (const { id, token } of cases) {
  const line = { id, accepted: false, crashed: false };
  try {
    await check(token);
    line.accepted = true;
  } catch (error) {
    line.crashed = !(error instanceof Refused);
    line.said = String(error.message).slice(0, 200);
  }
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
process.exit(0);
