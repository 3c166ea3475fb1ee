// Prints the scopes of each token of the files that standard input names, one to a line, as JSON:
// by the engine that editors colour with. What the tests compare.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const wasm = createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm");
await oniguruma.loadWASM(readFileSync(wasm).buffer);
const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async (scope) =>
    scope === "source.journey"
      ? textmate.parseRawGrammar(readFileSync(process.argv[2], "utf8"), "journey.json")
      : { scopeName: scope, patterns: [], repository: {} },
});
const grammar = await registry.loadGrammar("source.journey");
const files = readFileSync(0, "utf8").split("\n").filter(Boolean);
const answer = {};
for (const file of files) {
  let stack = textmate.INITIAL;
  answer[file] = readFileSync(file, "utf8").split("\n").map((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    stack = ruleStack;
    return tokens.map((t) => [t.startIndex, t.endIndex, t.scopes.slice(1).join(" ")]);
  });
}
process.stdout.write(JSON.stringify(answer));
