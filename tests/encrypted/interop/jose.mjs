// The same by jose: `jose.mjs FOLDER` adds its tokens to tokens.jsonl, `jose.mjs FOLDER judge` judges half.jsonl
// into judged.jsonl. Run where the package is installed.

import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "package.json"));
const { CompactEncrypt, compactDecrypt, importJWK } = await import(require.resolve("jose"));

const folder = process.argv[2];
const file = (name) => path.join(folder, name);
const jwk = JSON.parse(readFileSync(file("private.json"), "utf8"));
const inner = readFileSync(file("inner.txt"), "utf8");
const ALGS = ["RSA-OAEP", "RSA-OAEP-256"];
const ENCS = ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"];
const { kty, n, e } = jwk;
const keys = Object.fromEntries(
  await Promise.all(ALGS.map(async (alg) => [alg, { public: await importJWK({ kty, n, e }, alg), private: await importJWK(jwk, alg) }])),
);

async function accepted(token) {
  for (const alg of ALGS) {
    try {
      const options = { keyManagementAlgorithms: [alg], contentEncryptionAlgorithms: ENCS };
      const { plaintext } = await compactDecrypt(token, keys[alg].private, options);
      if (new TextDecoder().decode(plaintext) === inner) return true;
    } catch {
      // Whatever it says, it is no yes.
    }
  }
  return false;
}

if (process.argv[3] === "judge") {
  const lines = readFileSync(file("half.jsonl"), "utf8").trim().split("\n");
  const judged = [];
  for (const line of lines) {
    const found = JSON.parse(line);
    judged.push(JSON.stringify({ ...found, jose: await accepted(found.token) }));
  }
  writeFileSync(file("judged.jsonl"), judged.join("\n") + "\n");
} else {
  for (const alg of ALGS) {
    for (const enc of ENCS) {
      const token = await new CompactEncrypt(new TextEncoder().encode(inner))
        .setProtectedHeader({ alg, enc, cty: "JWT" })
        .encrypt(keys[alg].public);
      appendFileSync(file("tokens.jsonl"), JSON.stringify({ by: "jose", alg, enc, token }) + "\n");
    }
  }
}
