/** The commands of campaigns: `fuzz`, `worker` and `bugs`, and what they take. */
import { availableParallelism } from "node:os";
import { type Command, Option } from "commander";
import { INSTRUMENT_NAMES } from "../campaign/bugs/instruments/names.ts";
import { KERNEL_SOURCES } from "../campaign/fuzz/batch.ts";
import { ORACLE_NAMES } from "../campaign/fuzz/oracle-names.ts";
import { type Action, collect, integer, json, names, profile, queue, seed } from "./options.ts";

/**
 * @param action makes a command's action of its work
 * @param version soundcheck's, which findings and jobs carry
 */
export function addCampaigns(cli: Command, action: Action, version: string): void {
  cli
    .command("fuzz")
    .summary("a campaign: generated programs, verified, run and cross-checked")
    .description(
      "Generates programs, verifies each, has its certificate confirmed, runs it along the certificate and holds every step against the abstract states. What does not hold is made small and kept in the campaign's directory, each cause once. A campaign whose directory is there goes on where it stopped, however it was stopped.",
    )
    .addOption(new Option("--seconds <n>", "how long").default(60).argParser(integer(1, 10_000_000)))
    .addOption(
      new Option("--programs <n>", "programs at most")
        .default(0x7fff_ffff, "no limit")
        .argParser(integer(1, 0x7fff_ffff)),
    )
    .addOption(new Option("--runs <n>", "runs of each program").default(8).argParser(integer(0, 1_000_000)))
    .addOption(
      new Option("--workers <n>", "processes")
        .default(availableParallelism(), "as many as processors")
        .argParser(integer(1, 256))
        .conflicts("queue"),
    )
    .addOption(queue("whose workers do the work, instead of processes of this machine"))
    .addOption(seed("of the first program").env("SOUNDCHECK_SEED").default(1))
    .addOption(
      new Option("--oracle <name>", `what is asked, again for more: ${ORACLE_NAMES.join(", ")}`)
        .default([], "all but verdict, message and processed, as far as they have something to look at")
        .argParser(names(ORACLE_NAMES)),
    )
    .addOption(
      new Option("--without <name>", "what is not asked, again for more")
        .default([], "nothing")
        .argParser(names(ORACLE_NAMES)),
    )
    .addOption(
      new Option(
        "--target <verifier>",
        "whose verifier is under test: ours, command:PROGRAM, kernel:linux-X.Y (a guest), kernel:linux (the running one), seeded:BUG (ours with a bug of soundcheck bugs --list)",
      ).default("ours"),
    )
    .option(
      "--beside <kernel>",
      "with --target kernel:…, a kernel that is asked too about what that one accepts: linux, linux-X.Y, linux-X.Y.Z",
    )
    .addOption(
      new Option(
        "--mutants <percent>",
        "how many of a hundred programs are made of the corpus: changed, spliced, mended",
      )
        .default(2)
        .argParser(integer(0, 100)),
    )
    .addOption(
      new Option(
        "--source <kind>",
        "what a kernel under test gets: probes, whose numbers are followed through its log (default), or the programs that others get; the running kernel gets probes",
      ).choices(KERNEL_SOURCES),
    )
    .addOption(
      new Option(
        "--guidance <kind>",
        "what programs are made from: nothing, or what reached something first: what the verifier decided (semantic), or its code too",
      )
        .choices(["none", "semantic", "code"] as const)
        .default("code" as const),
    )
    .option("--out <directory>", "the campaign's directory", "soundcheck-fuzz")
    .option(
      "--replay <finding>",
      "ask the verifier of a finding again about its program, and do nothing else",
    )
    .addOption(profile())
    .addOption(json())
    .action(action(async (options) => (await import("./fuzz.ts")).fuzz(options, version)));

  cli
    .command("worker")
    .summary("do the work of campaigns and corpora elsewhere")
    .description(
      "Does the jobs of campaigns and corpora that were started with fuzz --queue and corpus run --queue, on this machine or others, until it is interrupted. The jobs of a worker that is killed go to another.",
    )
    .addOption(queue().makeOptionMandatory())
    .addOption(
      new Option("--workers <n>", "processes")
        .default(availableParallelism(), "as many as processors")
        .argParser(integer(1, 256)),
    )
    .addOption(
      new Option("--idle <seconds>", "end when no job has come for as long").argParser(
        integer(1, 10_000_000),
      ),
    )
    .addOption(json())
    .action(action(async (options) => (await import("./worker.ts")).worker(options, version)));

  cli
    .command("bugs")
    .summary("which bugs would be found: seeded ones, each tried with every instrument")
    .description(
      "Puts bugs that verifiers have had into copies of soundcheck, each into one of its own in a temporary directory, and lets every instrument look for it. The code as it is has to stay silent. See docs/scorecard.md.",
    )
    .option("--list", "list the bugs")
    .addOption(
      new Option("--bug <name>", "only this one, or those of a class; again for more")
        .default([], "all")
        .argParser(collect),
    )
    .addOption(
      new Option("--instrument <name>", `only this one, again for more: ${INSTRUMENT_NAMES.join(", ")}`)
        .default([], "all")
        .argParser(names(INSTRUMENT_NAMES)),
    )
    .addOption(
      new Option("--seconds <n>", "of processor time for each trial")
        .default(60)
        .argParser(integer(1, 86_400)),
    )
    .addOption(new Option("--seeds <n>", "trials of each instrument").default(5).argParser(integer(1, 1000)))
    .addOption(
      new Option("--jobs <n>", "processes")
        .default(availableParallelism(), "as many as processors")
        .argParser(integer(1, 256)),
    )
    .option("--first", "do not try a bug with further instruments once one has found it")
    .option(
      "--results <file>",
      "keep what comes out there, a line for each bug and instrument, and do not try again what was measured and still stands",
    )
    .option("--html <file>", "write the matrix as a page")
    .addOption(json())
    .action(action(async (options) => (await import("./bugs.ts")).bugs(options)));
}
