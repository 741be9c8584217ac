/** Sequences of calls of bpf(2), made on the small kernel and on Linux: both answer the same. */
import { readFileSync } from "node:fs";
import { LinuxCommands } from "../../src/campaign/commands/linux-commands.ts";
import { LinuxIds } from "../../src/campaign/commands/linux-ids.ts";
import { generator } from "../../src/campaign/random.ts";
import type { BpfOperation } from "../../src/kernel/operations/bpf.ts";
import { Runtime } from "../../src/kernel/runtime.ts";
import type { Answer } from "../../src/kernel/system.ts";
import type { Kernel } from "../../src/oracle/linux/calls.ts";
import { putDownCapabilities } from "../../src/oracle/linux/capabilities.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { possibleCpus } from "../../src/oracle/linux/maps.ts";
import { Processes } from "../../src/oracle/linux/processes.ts";
import { readProfile } from "../../src/oracle/profiles.ts";
import { COMMAND_NAMES, type Command } from "../../src/semantics/abi/bpf-commands.ts";
import { INFORMATION } from "../../src/semantics/abi/bpf-information.ts";
import { Unsupported } from "../../src/semantics/errors.ts";
import { CAPABILITIES, type Capability } from "../../src/semantics/program/privileges.ts";
import { EFAULT } from "../../src/vm/errno.ts";
import { Sequence, type Step } from "./generate.ts";

const RELEASE = "6.18";
const rules = { profile: readProfile(`linux-${RELEASE}`) };

/** Commands that are held against Linux elsewhere, with what they work on: attachments, files, BTF. */
const NOT_COMPARED: ReadonlySet<Command> = new Set([
  "obj_pin",
  "obj_get",
  "prog_attach",
  "prog_detach",
  "prog_query",
  "raw_tracepoint_open",
  "task_fd_query",
  "link_create",
]);

/** What of a program's information hangs on the processor, the clock or the kernel's own rewriting: from one field to another. */
const OWN: readonly (readonly [from: number, to: number])[] = [
  ["tag", "nr_map_ids"],
  ["netns_dev", "btf_id"],
  ["func_info", "line_info_rec_size"],
  ["nr_prog_tags", "attach_btf_obj_id"],
].map(([from = "", to = ""]) => [offset(from), offset(to)]);

function offset(name: string): number {
  const fields: Readonly<Record<string, number>> = INFORMATION.program.fields;
  return fields[name] ?? 0;
}

/** An answer as it is compared: of a log only whether there is one, of a program's information what is no machine's own. */
function comparable({ result, out = {} }: Answer, isProgram: boolean, isBatch: boolean): Answer {
  const told: Record<string, number | string> = {};
  for (const [name, value] of Object.entries(out)) {
    // Linux copies bucket by bucket: how far it came where there was no room is not compared.
    if (isBatch && result === EFAULT && (name === "keys" || name === "values")) continue;
    if (name === "log_buf" || name === "btf_log_buf") {
      // How far a log came that there was no room for is not compared.
      if (result !== EFAULT) told[name] = "a log";
    } else if (name === "log_true_size" || name === "btf_log_true_size")
      told[name] = value === 0 ? 0 : "some";
    else if (name === "duration") continue;
    else if (isProgram && name === "info" && typeof value === "string") told[name] = withoutOwn(value);
    else told[name] = value;
  }
  return Object.keys(told).length === 0 ? { result } : { result, out: told };
}

function withoutOwn(digits: string): string {
  const bytes = Buffer.from(digits, "hex");
  for (const [from, to] of OWN) bytes.fill(0, from, Math.min(to, bytes.length));
  return bytes.toString("hex");
}

export interface Tally {
  calls: number;
  unsupported: number;
  /** How often each command ended in each way, by `command error`. */
  readonly ways: Map<string, number>;
}

const newTally = (): Tally => ({ calls: 0, unsupported: 0, ways: new Map() });

/** Whether processes without capabilities may make objects, on this machine at the moment. */
function unprivilegedSetting(): 0 | 1 | 2 {
  const setting = readFileSync("/proc/sys/kernel/unprivileged_bpf_disabled", "utf8").trim();
  return setting === "0" ? 0 : setting === "1" ? 1 : 2;
}

/** The two that are compared, with the processes' tables empty at first. */
class Both {
  readonly #runtime: Runtime;
  readonly #linux: LinuxCommands;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, capabilities: readonly Capability[]) {
    this.#kernel = kernel;
    putDownCapabilities(kernel, capabilities);
    const unprivilegedBpfDisabled = unprivilegedSetting();
    this.#runtime = new Runtime({ cpus: possibleCpus(), rules, capabilities, unprivilegedBpfDisabled });
    this.#linux = new LinuxCommands(kernel, new LinuxIds());
  }

  /** What differs, in words; nothing if nothing does. */
  do(step: Step, tally: Tally): { readonly answer: Answer; readonly difference?: string } {
    const ours = this.#ours(step);
    if (ours === undefined) {
      tally.unsupported += 1;
      return { answer: { result: -1 } };
    }
    if (step.do === "close") {
      this.#kernel.calls([{ number: CLOSE, arguments: [step.fd] }]);
      return { answer: ours };
    }
    const theirs = this.#linux.do(step);
    const isProgram = this.#isProgram(step);
    const isBatch = String(step.command).endsWith("_batch");
    const [a, b] = [ours, theirs].map((answer) => JSON.stringify(comparable(answer, isProgram, isBatch)));
    tally.calls += 1;
    const way = `${step.command} ${Math.min(0, theirs.result)}`;
    tally.ways.set(way, (tally.ways.get(way) ?? 0) + 1);
    return a === b ? { answer: ours } : { answer: ours, difference: `ours ${a}\nLinux ${b}` };
  }

  /** Whether a program is asked about. */
  #isProgram({ command, attr, process }: BpfOperation): boolean {
    if (command !== "obj_get_info_by_fd") return false;
    const descriptors = this.#runtime.observe().processes.get(process) ?? [];
    return descriptors.some(({ fd, kind }) => kind === "program" && fd === attr["bpf_fd"]);
  }

  #ours(step: Step): Answer | undefined {
    try {
      return this.#runtime.do(step);
    } catch (error) {
      if (error instanceof Unsupported) return undefined;
      throw error;
    }
  }
}

/** close(2) of x86-64. */
const CLOSE = 3;

/** Commands that sequences are made of. */
export const COMPARED = COMMAND_NAMES.filter((name) => !NOT_COMPARED.has(name));

/** Maps with nothing in them have little to answer. */
const OFTEN: readonly Command[] = [...COMPARED, "map_update_elem", "map_update_elem", "map_lookup_elem"];

/** One sequence in so many is of a process with fewer capabilities. */
const FEWER = 4;
export const LENGTH = 40;

/** Why Linux cannot be asked here; nothing if it can. */
export function supported(): string | undefined {
  const kernel = kernelAvailable();
  if (!kernel.ok) return kernel.reason;
  if (process.arch !== "x64") return `system calls of ${process.arch}`;
  if (!kernel.release.startsWith(`${RELEASE}.`))
    return `Linux ${kernel.release}, and what is compared is ${RELEASE}`;
  try {
    new Processes(process.env).stop();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export interface Difference {
  readonly seed: number;
  readonly capabilities: readonly Capability[];
  /** What was done, the last of which is answered differently. */
  readonly steps: readonly Step[];
  readonly what: string;
}

/** Compares sequences of 40 operations on new processes. */
export function compareSequences(
  processes: Processes,
  options: { readonly seed: number; readonly sequences: number; readonly commands?: readonly Command[] },
): { readonly differences: readonly Difference[]; readonly tally: Tally } {
  const tally = newTally();
  const differences: Difference[] = [];
  for (let seed = options.seed; seed < options.seed + options.sequences; seed += 1) {
    processes.fork(0, 1);
    // Neighbouring seeds begin alike.
    const own = Math.imul(seed, 0x9e37_79b1);
    const random = generator(own);
    const isFewer = random.below(FEWER) === 0;
    const capabilities = CAPABILITIES.filter(() => !isFewer || random.below(2) === 0);
    const both = new Both(processes.kernel(1), capabilities);
    const sequence = new Sequence(own + 1, options.commands ?? OFTEN, possibleCpus());
    const steps: Step[] = [];
    while (steps.length < LENGTH) {
      const step = sequence.next();
      steps.push(step);
      const { answer, difference } = both.do(step, tally);
      if (difference !== undefined) {
        differences.push({ seed, capabilities, steps, what: difference });
        break;
      }
      sequence.learn(step, answer);
    }
    processes.exit(1);
  }
  return { differences, tally };
}
