/** The commands of `soundcheck corpus`, and what they take. */
import { availableParallelism } from "node:os";
import { type Command, Option } from "commander";
import { PROPERTIES } from "../campaign/regression/property-names.ts";
import { PROGRAM_TYPES } from "../semantics/program/program-types.ts";
import { type Action, integer, json, profile, queue } from "./options.ts";

const natural = integer(0, 0x7fff_ffff);

const inside = (): Option =>
  new Option("--in <directory>", "the entries of a directory, instead of the bundled corpus");
const runs = (most: number): Option =>
  new Option("--runs <n>", "generated runs of each program").default(most).argParser(natural);

/**
 * @param action makes a command's action of its work
 * @param version soundcheck's, which jobs carry
 */
export function addCorpus(cli: Command, action: Action, version: string): void {
  const corpus = cli
    .command("corpus")
    .summary("the regression corpus: run, add, reduce, list")
    .description("Programs and what is expected of them: what was found once is asked ever after.")
    .usage("[command]");

  corpus
    .command("run")
    .summary("whether every entry still is what is expected of it")
    .description(
      "Checks every entry: verdict, message and runs as expected, the certificate confirmed, generated runs inside of the abstract states.",
    )
    .argument("[pattern...]", "only entries whose file has this in its name; * stands for anything")
    .addOption(inside())
    .addOption(runs(8))
    .addOption(new Option("--seed <n>", "of the generated runs").default(1).argParser(natural))
    .addOption(
      new Option("--workers <n>", "processes, for many files")
        .default(availableParallelism(), "as many as processors")
        .argParser(integer(1, 256))
        .conflicts("queue"),
    )
    .addOption(queue("whose workers check the entries, instead of processes of this machine"))
    .addOption(profile())
    .addOption(json())
    .action(
      action(async (patterns, options) =>
        (await import("./corpus-run.ts")).corpusRun(patterns, options, version),
      ),
    );

  corpus
    .command("list")
    .description("Lists entries and what is expected of them.")
    .argument("[pattern...]", "only entries with this in their file's or program's name")
    .addOption(inside())
    .addOption(new Option("--verdict <verdict>", "only those").choices(["accept", "reject"]))
    .addOption(new Option("--type <type>", "only programs of this type").choices(PROGRAM_TYPES.slice(1)))
    .addOption(json())
    .action(
      action(async (patterns, options) => (await import("./corpus-list.ts")).corpusList(patterns, options)),
    );

  corpus
    .command("add")
    .summary("keep a finding, or any program")
    .description(
      "Makes entries of bundles or of a campaign's findings. One whose cause, or whose program, is there already is not added: exit status 1.",
    )
    .argument("<file...>", "bundles, or *.finding.json")
    .option("--to <directory>", "where the entries are (default: corpus/regression)")
    .addOption(
      new Option(
        "--expect-from <source>",
        "bundle is what it expects itself; linux, linux-X.Y or newest is what that kernel says",
      ).default("bundle"),
    )
    .option("--name <name>", "what the program is called")
    .addOption(profile())
    .addOption(json())
    .action(
      action(async (files, options) => {
        await (await import("./choose.ts")).chooseRules(options);
        return (await import("./corpus-add.ts")).corpusAdd(files, options);
      }),
    );

  corpus
    .command("reduce")
    .summary("make a program smaller that goes on showing something")
    .description(
      "Leaves out instructions, maps and digits while the rest shows the same, and prints a bundle.",
    )
    .argument("<file>", "a bundle, an object or assembly")
    .option("--while <property>", `${PROPERTIES} (default: the finding beside the bundle)`)
    .option("--program <name>", "of the programs in a file, the one of this name")
    .option("-o, --output <file>", "the bundle's file (default: standard output)")
    .addOption(runs(8))
    .addOption(new Option("--seed <n>", "of the generated runs").argParser(natural))
    .addOption(profile())
    .addOption(json())
    .action(
      action(async (file, options) => {
        await (await import("./choose.ts")).chooseRules(options);
        return (await import("./corpus-reduce.ts")).corpusReduce(file, options);
      }),
    );
}
