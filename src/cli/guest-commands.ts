/** The commands on kernels and machines: `guest`, `probe` and `doctor`, and what they take. */
import { type Command, Option } from "commander";
import { type Action, integer, json } from "./options.ts";

const accelerator = (): Option =>
  new Option("--accel <what>", "what executes a guest: auto tries KVM first, tcg translates")
    .choices(["auto", "kvm", "tcg"])
    .env("SOUNDCHECK_ACCEL")
    .default("auto");

/** @param action makes a command's action of its work */
export function addGuests(cli: Command, action: Action): void {
  const guest = cli
    .command("guest")
    .summary("other kernels: Debian's, in QEMU")
    .description(
      "Kernels of Debian's, as guests in QEMU without network and disk. They are downloaded through apt into a cache folder; nothing is installed.",
    )
    .usage("[command]");

  guest
    .command("list")
    .description("Lists the kernels that there are, and those that are here.")
    .addOption(json())
    .action(action(async (options) => (await import("./guest.ts")).listGuests(options)));

  guest
    .command("fetch")
    .description("Downloads the newest kernel of each name, unless it is here.")
    .argument("<name...>", "linux-6.1, …; newest is the newest of all")
    .addOption(json())
    .action(action(async (names, options) => (await import("./guest.ts")).fetchGuests(names, options)));

  guest
    .command("boot")
    .description("Boots each kernel, loads small programs in it, and says how long that takes.")
    .argument("<name...>", "linux-6.1, …; newest is the newest of all")
    .addOption(
      new Option("--loads <n>", "how many programs to load").default(200).argParser(integer(1, 1_000_000)),
    )
    .addOption(accelerator())
    .addOption(json())
    .action(action(async (names, options) => (await import("./guest.ts")).bootGuests(names, options)));

  cli
    .command("probe")
    .summary("what a kernel lets programs do")
    .description(
      "Learns from a kernel what programs may do, by small programs, its types and its own data, and writes a profile. Takes root, and a minute or two; in a guest some minutes.",
    )
    .addOption(
      new Option(
        "--on <kernel>",
        "linux is the running kernel, linux-X.Y a guest, newest the newest one",
      ).default("linux"),
    )
    .option("-o, --output <file>", "the profile's file (default: standard output)")
    .action(action(async (options) => (await import("./probe.ts")).probe(options)));

  cli
    .command("doctor")
    .summary("what this machine offers")
    .description("Says what this machine offers: kernel, privileges, compilers. Nothing of it is required.")
    .addOption(json())
    .action(action(async (options) => (await import("./doctor.ts")).doctor(options)));
}
