#!/usr/bin/env node
/** The command line: which commands there are and what they take. Each command's work is in the file of its name. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Command, CommanderError, Option } from "commander";
import { SOLVER_NAMES } from "../proof/solver-names.ts";
import { addCampaigns } from "./campaign-commands.ts";
import { addClassic } from "./cbpf-commands.ts";
import { addCorpus } from "./corpus-commands.ts";
import { addGuests } from "./guest-commands.ts";
import { collect, integer, json, names, profile, program, seed, type } from "./options.ts";
import { report, STATUS, type Status } from "./status.ts";
import { complain, note } from "./terminal.ts";
import { addTraces } from "./trace-commands.ts";

/** What a shell reports for a program that a closed pipe ended: 128 + SIGPIPE. */
const BROKEN_PIPE = 141;

function versionOfPackage(): string {
  const parsed: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const known = typeof parsed === "object" && parsed !== null && "version" in parsed;
  return known ? String(parsed.version) : "unknown";
}

let status: Status = STATUS.held;

/** Runs a command's work; its modules are loaded only now, so that help and errors of usage come at once. */
function action<A extends readonly unknown[]>(
  work: (...given: A) => Promise<Status>,
): (...given: A) => Promise<void> {
  return async (...given) => {
    status = await work(...given);
  };
}

const cli = new Command("soundcheck")
  .description("Finds out whether an eBPF verifier can be trusted.")
  .version(versionOfPackage(), "-V, --version", "print the version")
  .helpOption("-h, --help", "print help")
  .helpCommand("help [command]", "print help for a command")
  .exitOverride()
  .configureOutput({ outputError: (text) => complain(text.replace(/^error: /, "").trimEnd()) })
  .showSuggestionAfterError(true)
  .addHelpText(
    "after",
    `
Files are ELF objects, program bundles (*.prog.json) or assembly; - is standard input.

Exit status: 0 all held; 1 a program was rejected, or something was found; 2 it could not be done
(bad usage, an unreadable file, something not modelled); 3 a bug in soundcheck.`,
  );

const btf = (): Option =>
  new Option(
    "--btf <file>",
    "the kernel's types that programs are for (default: the running kernel's, from /sys/kernel/btf/vmlinux)",
  ).env("SOUNDCHECK_BTF");

const unprivileged = (): Option =>
  new Option("--unprivileged", "by the rules for a loader without capabilities, whatever the file says");

cli
  .command("check")
  .summary("verify, run and cross-check programs; without files, the bundled corpus")
  .description(
    "Verifies each program; walks the certificates of accepted programs with generated runs, searches an input that faults for rejected ones, and compares with the running kernel's verdict. Without files it checks the bundled corpus.",
  )
  .argument("[file...]", "objects, bundles or assembly")
  .addOption(
    new Option("--runs <n>", "runs of each program at most; fewer of those that take long")
      .env("SOUNDCHECK_RUNS")
      .default(100)
      .argParser(integer(0, 1_000_000)),
  )
  .addOption(seed("of the generated runs").env("SOUNDCHECK_SEED").default(1))
  .addOption(
    new Option("--workers <n>", "processes, for many files")
      .default(availableParallelism(), "as many as processors")
      .argParser(integer(1, 256)),
  )
  .option("--no-kernel", "do not ask the running kernel")
  .option("--report <file>", "where the HTML report goes", "soundcheck-report.html")
  .option("--no-report", "write no HTML report")
  .addOption(profile())
  .addOption(json())
  .action(action(async (files, options) => (await import("./check.ts")).check(files, options)));

cli
  .command("verify")
  .summary("verify programs and print the log in the kernel's format")
  .description("Verifies every program of the files and prints the log in the kernel's format.")
  .argument("[file...]", "objects, bundles or assembly")
  .addOption(
    new Option(
      "--log-level <n>",
      "0 no log, 1 the refused path, 2 every path (default: the end of the refused path)",
    ).argParser(integer(0, 2)),
  )
  .addOption(program())
  .addOption(type())
  .addOption(profile())
  .addOption(btf())
  .addOption(unprivileged())
  .option("--certify-check", "check the certificates of accepted programs")
  .option("--certify <file>", "write the certificates of accepted programs to a file")
  .option("--jsonl", "read bundles from standard input, one a line; answer one line each")
  .option("--stats", "print a table of figures, a row a program; a FILE.csv among the files is taken for one")
  .addOption(
    new Option(
      "-f, --filter <filter>",
      "with --stats: [!]GLOB, [!]FILE/PROGRAM, or a comparison such as insns>1000; repeat for more",
    ).argParser(collect),
  )
  .option("-s, --sort <columns>", "with --stats: sort by these, each with ^ (ascending) or v (descending)")
  .option("-e, --emit <columns>", "with --stats: the columns, such as file,prog,verdict,insns")
  .option("-C, --compare <csv>", "with --stats: put figures of an earlier run beside these")
  .option("--changed", "with --compare: only rows in which something but times differs")
  .addOption(
    new Option("-o, --output <format>", "with --stats: what is written to standard output").choices([
      "table",
      "csv",
      "json",
      "ndjson",
    ]),
  )
  .addOption(json())
  .action(
    action(async (files, options) => {
      await (await import("./choose.ts")).chooseRules(options);
      if (options.jsonl === true && files.length > 0) {
        complain("verify: --jsonl reads standard input and takes no files");
        return STATUS.impossible;
      }
      if (options.jsonl === true) return (await import("./verify-stream.ts")).verifyStream();
      if (options.stats === true && options.certify !== undefined) {
        complain("verify: --stats writes no certificates");
        return STATUS.impossible;
      }
      if (files.length > 0 && options.stats === true) {
        return (await import("./verify-stats.ts")).verifyStats(files, options);
      }
      const only = (["filter", "sort", "emit", "compare", "changed", "output"] as const).find(
        (name) => options.stats !== true && options[name] !== undefined,
      );
      if (only !== undefined) {
        complain(`verify: --${only} is for --stats`);
        return STATUS.impossible;
      }
      if (files.length > 0) return (await import("./verify.ts")).verifyFiles(files, options);
      complain("verify: missing argument 'file'");
      return STATUS.impossible;
    }),
  );

cli
  .command("compare")
  .summary("our verdicts beside a kernel's; without files, of the bundled corpus")
  .description(
    "Puts our verdict beside a kernel's on each program: verdict, errno, what is complained of, instructions processed. Objects inside of programs and libraries are found too. Where the verdicts differ and corpus/differences.json does not say why, the exit status is 1.",
  )
  .argument("[file...]", "objects, bundles, assembly, or files with objects inside")
  .addOption(
    new Option(
      "--with <kernels>",
      "which kernels, separated by commas: linux is the running one, linux-6.1 and the like are guests",
    )
      .default(["linux"], "linux")
      .argParser((text) => text.split(",").map((name) => name.trim())),
  )
  .addOption(program())
  .addOption(type())
  .option("--differences", "show only programs on which the verdicts are not the same")
  .addOption(json())
  .action(action(async (files, options) => (await import("./compare.ts")).compare(files, options)));

cli
  .command("check-certificate")
  .summary("confirm certificates that verify --certify wrote")
  .description(
    "Confirms the certificates of programs: that each program is safe and ends, by a checker that shares nothing with the verifier's search.",
  )
  .argument("<certificates>", "what verify --certify wrote")
  .argument("<file...>", "objects, bundles or assembly: the programs")
  .addOption(program())
  .addOption(type())
  .addOption(profile())
  .addOption(btf())
  .addOption(unprivileged())
  .addOption(json())
  .action(
    action(async (certificates, files, options) => {
      await (await import("./choose.ts")).chooseRules(options);
      const { checkCertificates } = await import("./check-certificate.ts");
      return checkCertificates(certificates, files, options);
    }),
  );

cli
  .command("run")
  .summary("run a program in the machine")
  .description(
    "Runs a program in the machine, on a packet, on every packet of a capture, or on a context. With --pipeline, packets pass through programs at the hooks of devices.",
  )
  .argument("[file]", "object, bundle or assembly")
  .addOption(program())
  .addOption(type())
  .addOption(new Option("--packet <hex>", "the packet, from its Ethernet header on").conflicts("pcap"))
  .option("--pcap <file>", "a capture: runs on every packet in turn")
  .option("--context <hex>", "the context, as BPF_PROG_TEST_RUN takes it")
  .option("--environment <file>", "clock, processors, tasks, memory and so on, as JSON")
  .option("--pipeline <file>", "devices with programs at their hooks, as JSON: instead of one program")
  .option("--out <directory>", "with --pipeline: a capture of what left by each exit")
  .addOption(
    new Option("--steps <n>", "instructions after which a run ends with a fault").argParser(
      integer(1, 2 ** 40),
    ),
  )
  .addOption(
    seed("maps' contents, clock, processor and random numbers as check makes them from this seed").conflicts(
      "environment",
    ),
  )
  .option("--maps", "print what the maps hold afterwards")
  .addOption(
    new Option(
      "--jit [mode]",
      "compile the program: checked, or without the checks that verifying it makes needless (proved)",
    )
      .choices(["checked", "proved"])
      .preset("checked"),
  )
  .addOption(new Option("--trace", "print every step").conflicts("jit"))
  .addOption(json())
  .action(action(async (file, options) => (await import("./run.ts")).run(file, options)));

cli
  .command("prove")
  .summary("prove the theorems about the abstract domain with SMT solvers")
  .description(
    "Proves the theorems: every rule and operator of the abstract domain at full width. What the ledger says was proved and has not changed since is not proved again. A name is a theorem's, a subject's (add64), what comes before a / in names, or a pattern with *; without names all are proved.",
  )
  .argument("[name...]", "which theorems")
  .option("--all", "prove again what the ledger says is proved")
  .addOption(
    new Option("--jobs <n>", "solvers at a time")
      .env("SOUNDCHECK_JOBS")
      .default(availableParallelism())
      .argParser(integer(1, 1024)),
  )
  .addOption(
    new Option("--timeout <seconds>", "for each obligation").default(60).argParser(integer(1, 86_400)),
  )
  .addOption(
    new Option("--solver <name>", "builtin, z3, cvc5, bitwuzla or boolector (the latter four from PATH)")
      .default([], "builtin")
      .argParser(names(SOLVER_NAMES)),
  )
  .option("--cross", "have two solvers agree: the built-in one and the first on PATH, or two --solver")
  .option("--wrong", "also refute the wrong versions of what is proved")
  .addOption(
    new Option("--sample <n>", "of the unchanged theorems, prove this many again")
      .default(0)
      .argParser(integer(0, 1_000_000)),
  )
  .addOption(seed("of the sample").env("SOUNDCHECK_SEED").default(1))
  .option("--ledger <file>", "what is proved (default: the ledger of the package)")
  .option("--no-ledger", "neither read nor write a ledger")
  .option("--keep", "put programs that show counterexamples into the corpus")
  .option("--list", "list the theorems")
  .addOption(
    new Option("-o, --output <format>", "what is written to standard output")
      .choices(["table", "csv", "json", "ndjson"])
      .default("table"),
  )
  .addOption(json())
  .action(
    action(async (theorems, options) => {
      const { prove } = await import("./prove.ts");
      return prove(theorems, options);
    }),
  );

addCampaigns(cli, action, versionOfPackage());

cli
  .command("plugin")
  .summary("be a plugin of the bpf_conformance suite")
  .description(
    "The bpf_conformance plugin protocol: memory as hex in the first argument, the program as hex on standard input, r0 as hex on standard output. r1 points to the memory, r2 is its length.",
  )
  .argument("[memory]", "hexadecimal digits, white space allowed", "")
  .option("--program <hex>", "the program, instead of standard input")
  .option("--jit", "compile the program instead of interpreting it")
  .addOption(json())
  .action(action(async (memory, options) => (await import("./plugin.ts")).plugin(memory, options)));

cli
  .command("asm")
  .summary("assembly to bytes")
  .description("Assembles a file and prints its bytes in hexadecimal, an instruction a line.")
  .argument("<file>", "assembly, or anything else that holds programs")
  .addOption(program())
  .option("--bundle", "print a program bundle instead")
  .addOption(json())
  .action(action(async (file, options) => (await import("./asm.ts")).asm(file, options)));

cli
  .command("disasm")
  .summary("programs to assembly")
  .description("Prints the programs of an object, a bundle or hexadecimal bytes as assembly.")
  .argument("<file>", "object, bundle, or instructions in hexadecimal")
  .addOption(program())
  .option("--kernel", "as the kernel's log prints them, with numbers and opcodes")
  .addOption(json())
  .action(action(async (file, options) => (await import("./disasm.ts")).disasm(file, options)));

addClassic(cli, action);
addTraces(cli, action);
addCorpus(cli, action, versionOfPackage());
addGuests(cli, action);

async function main(): Promise<number> {
  try {
    await cli.parseAsync();
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(error);
    if (error.exitCode === 0) return STATUS.held;
    if (error.code !== "commander.help") note("See soundcheck --help.");
    return STATUS.impossible;
  }
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Nobody reads on: that is no failure of ours, and there is nobody to tell.
  process.exit(error.code === "EPIPE" ? BROKEN_PIPE : STATUS.impossible);
});
process.stderr.on("error", () => undefined);

// Not process.exit: what is still on its way to a pipe must arrive.
process.exitCode = await main();
