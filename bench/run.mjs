/**
 * Runs a benchmark as the built package runs: with types taken away and nothing added. (tsx gives each function its name when it is created, which
 * doubles the time of what creates functions.)
 *
 *     node bench/run.mjs verifier [ARGUMENT…]
 */
import { register } from "node:module";

const [name, ...rest] = process.argv.slice(2);
if (name === undefined) throw new Error("usage: node bench/run.mjs NAME [ARGUMENT…]");
register("./strip-types.mjs", import.meta.url);
process.argv.splice(1, process.argv.length, name, ...rest);
await import(`./${name}.ts`);
