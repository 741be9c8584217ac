/** The commands of `soundcheck cbpf`, and what they take. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { FILTER_FORMATS } from "../semantics/classic/read.ts";
import { type Action, collect, integer, json } from "./options.ts";

const FILE = "assembly, tcpdump -d, -dd or -ddd, or struct sock_filters as bytes or in hexadecimal";

const seccomp = (): Option =>
  new Option("--seccomp", "a filter of system calls, by the stricter rules of seccomp(2)");
const output = (format: string): Option =>
  new Option(
    "-o, --output <format>",
    "asm is bpf_asm's notation; d, dd and ddd are tcpdump's; bytecode is one line",
  )
    .choices(FILTER_FORMATS)
    .default(format);

const wholeNumber = integer(0, 0xffff_ffff);

function bigNumber(text: string): bigint {
  if (!/^\s*(0x[0-9a-f]+|\d+)\s*$/i.test(text)) throw new InvalidArgumentError("It must be an integer.");
  return BigInt(text);
}

/** @param action makes a command's action of its work */
export function addClassic(cli: Command, action: Action): void {
  const cbpf = cli
    .command("cbpf")
    .summary("classic BPF: assemble, disassemble, check, run and convert filters")
    .description("Filters of classic BPF, as tcpdump compiles them and sockets and seccomp(2) take them.")
    .usage("[command]");

  cbpf
    .command("asm")
    .description("Assembles a filter; or prints one of another form as numbers.")
    .argument("<file>", FILE)
    .addOption(output("ddd"))
    .addOption(json())
    .action(action(async (file, options) => (await import("./cbpf.ts")).printFilter(file, options)));

  cbpf
    .command("disasm")
    .description("Prints a filter as assembly.")
    .argument("<file>", FILE)
    .addOption(output("asm"))
    .addOption(json())
    .action(action(async (file, options) => (await import("./cbpf.ts")).printFilter(file, options)));

  cbpf
    .command("check")
    .description("Says whether Linux would take the filters, and what is wrong with those that it would not.")
    .argument("<file...>", FILE)
    .addOption(seccomp())
    .addOption(json())
    .action(action(async (files, options) => (await import("./cbpf.ts")).checkFilters(files, options)));

  cbpf
    .command("convert")
    .description("Converts a filter to eBPF, as Linux does where it is attached, and verifies that.")
    .argument("<file>", FILE)
    .addOption(seccomp())
    .option("--bundle", "print a program bundle instead of assembly")
    .addOption(json())
    .action(action(async (file, options) => (await import("./cbpf-convert.ts")).convert(file, options)));

  cbpf
    .command("run")
    .description(
      "Runs a filter on a packet or on every packet of a capture; or, with --seccomp, filters on a system call, of which the strictest counts.",
    )
    .argument("<file...>", FILE)
    .addOption(new Option("--packet <hex>", "the packet, from its Ethernet header on").conflicts("pcap"))
    .option("--pcap <file>", "a capture: runs on every packet in turn")
    .addOption(
      new Option("--offset <n>", "bytes of each packet before what the filter sees as its first")
        .argParser(wholeNumber)
        .default(0),
    )
    .addOption(
      new Option(
        "--fact <name=number>",
        "what extensions ask for: mark, pkttype, ifindex, …; repeat for more",
      ).argParser(collect),
    )
    .addOption(new Option("--seed <n>", "of random numbers").argParser(wholeNumber).default(0))
    .addOption(seccomp())
    .addOption(new Option("--nr <n>", "with --seccomp: the system call").argParser(wholeNumber))
    .addOption(
      new Option("--arch <arch>", "with --seccomp: x86_64, i386, aarch64, arm or a number").default("x86_64"),
    )
    .addOption(
      new Option("--args <numbers>", "with --seccomp: the call's arguments, separated by commas").argParser(
        (text) => text.split(",").map(bigNumber),
      ),
    )
    .addOption(new Option("--ip <n>", "with --seccomp: the instruction pointer").argParser(bigNumber))
    .addOption(json())
    .action(action(async (files, options) => (await import("./cbpf-run.ts")).runFilters(files, options)));
}
