// `node docs/events/validate.mjs`: reads asyncapi.json beside it with the public AsyncAPI parser and prints what it
// finds wrong; exit status 1 on an error or a warning.
import { readFile } from "node:fs/promises";
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";

const text = await readFile(new URL("asyncapi.json", import.meta.url), "utf8");
const { diagnostics } = await new Parser().parse(text);
const wrong = diagnostics.filter(({ severity }) => severity <= DiagnosticSeverity.Warning);
for (const { code, message, path } of wrong) console.error(`${path.join(".")}: ${message} (${code})`);
process.exitCode = wrong.length > 0 ? 1 : 0;
