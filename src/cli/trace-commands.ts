/** The commands on traces: what they take. Their work is in the files of their names. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Action, json } from "./options.ts";
import type { SystemName } from "./replay.ts";

const NAMES: readonly SystemName[] = ["runtime", "model", "linux"];

/** Names of systems, separated by commas. */
function systems(text: string): readonly SystemName[] {
  return text.split(",").map((name) => {
    const known = NAMES.find((each) => each === name.trim());
    if (known === undefined) throw new InvalidArgumentError(`It must be of ${NAMES.join(", ")}.`);
    return known;
  });
}

/** Adds `replay` and `objects`. */
export function addTraces(cli: Command, action: Action): void {
  cli
    .command("replay")
    .summary("a trace of system calls on the runtime, the model and the running kernel")
    .description(
      "Does the operations of a trace on each of the systems and holds results, descriptors, pins and what is alive against each other after each. A trace has one operation a line, as JSON (docs/lifetimes.md).",
    )
    .argument("<trace...>", "files of JSON lines")
    .addOption(
      new Option(
        "--on <systems>",
        `of ${NAMES.join(", ")}, separated by commas; the first is what others are held against`,
      )
        .default(["runtime", "model"] satisfies readonly SystemName[], "runtime,model")
        .argParser(systems),
    )
    .addOption(json())
    .action(action(async (files, options) => (await import("./replay.ts")).replay(files, options)));

  cli
    .command("objects")
    .summary("who keeps which object alive, after each operation of a trace")
    .description(
      "Does the operations of a trace on the runtime and shows what keeps each object: as text after the last operation, for one object (--why, --when-freed), as Graphviz text (--dot) or as a page with a drawing after each operation (--html).",
    )
    .argument("<trace>", "file of JSON lines")
    .option(
      "--why <object>",
      "the chain of references from a root to an object, such as map:3, after each operation",
    )
    .option("--when-freed <object>", "the operation with which an object goes")
    .option("--dot", "Graphviz text of what there is after the last operation")
    .option("--html <file>", "write a page with what there is after each operation")
    .addOption(json().conflicts(["dot", "html"]))
    .action(action(async (file, options) => (await import("./objects.ts")).objects(file, options)));
}
