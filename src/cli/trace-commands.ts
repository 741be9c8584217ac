/** The commands on traces: what they take. Their work is in the files of their names. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { isGuestName, RUNNING } from "./kernel-names.ts";
import { type Action, json } from "./options.ts";

const OWN: readonly string[] = ["runtime", "model"];

/** Names of systems, separated by commas. */
function systems(text: string): readonly string[] {
  return text.split(",").map((each) => {
    const name = each.trim();
    if (!OWN.includes(name) && name !== RUNNING && !isGuestName(name))
      throw new InvalidArgumentError(`It must be of ${OWN.join(", ")}, linux, linux-X.Y, newest.`);
    return name;
  });
}

/** Adds `replay` and `objects`. */
export function addTraces(cli: Command, action: Action): void {
  cli
    .command("replay")
    .summary("a trace of system calls on the runtime, the model, the running kernel and guests")
    .description(
      "Does the operations of a trace on each of the systems and holds results, descriptors, pins and what is alive against each other after each. A trace has one operation a line, as JSON (docs/lifetimes.md).",
    )
    .argument("<trace...>", "files of JSON lines")
    .addOption(
      new Option(
        "--on <systems>",
        "of runtime, model, linux (the running kernel), linux-X.Y, newest (guests), separated by commas; the first is what others are held against",
      )
        .default(OWN, OWN.join(","))
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
