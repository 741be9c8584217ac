/** `soundcheck cbpf run`: filters on packets, or on a system call. */
import { checkFilter } from "../semantics/classic/check.ts";
import { frameProtocol, type PacketFacts } from "../semantics/classic/input.ts";
import { ClassicMachine } from "../semantics/classic/machine.ts";
import { seccompAction, seccompData, strictest } from "../semantics/classic/seccomp.ts";
import { InputError, inFile } from "../semantics/errors.ts";
import { readCapture } from "../vm/pcap.ts";
import { filterOf, useOf } from "./cbpf.ts";
import { displayName, readBytes } from "./files.ts";
import { parseHex } from "./hex.ts";
import { STATUS, type Status } from "./status.ts";
import { complain, out, outJson, paint, printable } from "./terminal.ts";

export interface RunFilterOptions {
  readonly packet?: string;
  readonly pcap?: string;
  readonly offset: number;
  readonly fact?: readonly string[];
  readonly seed: number;
  readonly seccomp?: true;
  readonly nr?: number;
  readonly arch: string;
  readonly args?: readonly bigint[];
  readonly ip?: bigint;
  readonly json?: true;
}

/** A machine for a file's filter; `undefined` if the checker refuses it, which is said. */
async function machineOf(file: string, options: RunFilterOptions): Promise<ClassicMachine | undefined> {
  const filter = await filterOf(file);
  const use = useOf(options.seccomp);
  const refusal = checkFilter(filter, use);
  if (refusal === undefined) return new ClassicMachine(filter, use);
  const at = refusal.insn === undefined ? "" : `insn ${refusal.insn}: `;
  complain(`${displayName(file)}: ${at}${refusal.message}`);
  return undefined;
}

// --- Packets

const FACTS = ["protocol", "pkttype", "ifindex", "hatype", "mark", "queue", "rxhash", "cpu"] as const;
const VLAN = ["vlan_tag", "vlan_tpid"] as const;
/** IEEE 802.1Q, the protocol of a tag if none is given. */
const TPID = 0x8100;

function factsOf(given: readonly string[]): PacketFacts {
  const known: readonly string[] = [...FACTS, ...VLAN];
  const values = new Map<string, number>();
  for (const text of given) {
    const [name = "", value = ""] = text.split("=");
    if (!known.includes(name)) throw new InputError(`--fact: ${name} is none of ${known.join(", ")}`);
    const number = Number(value);
    if (value.trim() === "" || !Number.isInteger(number) || number < 0 || number > 0xffff_ffff) {
      throw new InputError(`--fact: ${name} takes an integer from 0 to 4294967295`);
    }
    values.set(name, number);
  }
  const tci = values.get("vlan_tag");
  return {
    ...Object.fromEntries(FACTS.flatMap((name) => (values.has(name) ? [[name, values.get(name)]] : []))),
    ...(tci === undefined ? {} : { vlan: { tci, tpid: values.get("vlan_tpid") ?? TPID } }),
  };
}

interface Frame {
  readonly bytes: Uint8Array;
  readonly length: number;
}

async function framesOf({ packet, pcap }: RunFilterOptions): Promise<readonly Frame[]> {
  if (packet !== undefined) {
    const bytes = parseHex("--packet", packet);
    return [{ bytes, length: bytes.length }];
  }
  if (pcap === undefined) throw new InputError("run: there is no packet (--packet or --pcap)");
  const bytes = await readBytes(pcap);
  return inFile(displayName(pcap), () => readCapture(bytes));
}

async function runOnPackets(machine: ClassicMachine, options: RunFilterOptions): Promise<void> {
  const { offset, seed, json } = options;
  const facts = factsOf(options.fact ?? []);
  const frames = await framesOf(options);
  let kept = 0;
  for (const [index, { bytes, length }] of frames.entries()) {
    const seen = Math.max(0, length - offset);
    const input = { protocol: frameProtocol(bytes), ...facts, bytes, data: offset, length: seen, seed };
    const value = machine.run(input);
    const keeps = Math.min(value, seen);
    if (value !== 0) kept += 1;
    if (json === true) {
      outJson({ packet_number: index + 1, length: seen, returned: value, kept: value === 0 ? null : keeps });
    } else {
      const what = value === 0 ? paint("gray", "dropped") : `kept, ${keeps} bytes`;
      out(`packet ${index + 1} (${seen} bytes): ${what} (returned ${value})\n`);
    }
  }
  if (json !== true && frames.length > 1) out(`${kept} of ${frames.length} packets kept\n`);
}

// --- System calls

/** AUDIT_ARCH_* (linux/audit.h). */
const ARCHITECTURES: Readonly<Record<string, number>> = {
  x86_64: 0xc000_003e,
  i386: 0x4000_0003,
  aarch64: 0xc000_00b7,
  arm: 0x4000_0028,
};

function architecture(text: string): number {
  if (Object.hasOwn(ARCHITECTURES, text)) return ARCHITECTURES[text] ?? 0;
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return value;
  throw new InputError(`--arch: ${text} is no number and none of ${Object.keys(ARCHITECTURES).join(", ")}`);
}

interface Answer {
  readonly returned: number;
  readonly action: string;
  readonly data: number;
}

function answer(value: number): Answer {
  const { name, data } = seccompAction(value);
  return { returned: value, action: name, data };
}

const answerText = ({ returned, action, data }: Answer): string =>
  `${paint("bold", action)}${data === 0 ? "" : ` ${data}`} (returned 0x${returned.toString(16).padStart(8, "0")})`;

function runOnCall(
  files: readonly string[],
  machines: readonly ClassicMachine[],
  options: RunFilterOptions,
): void {
  const { nr, arch, args = [], ip = 0n, json } = options;
  if (nr === undefined) throw new InputError("run: there is no system call (--nr)");
  if (args.length > 6) throw new InputError(`--args: ${args.length} arguments, but a system call has 6`);
  const data = seccompData({ nr, arch: architecture(arch), instructionPointer: ip, args });
  const values = machines.map((machine) => machine.runOnCall(data));
  for (const [index, value] of values.entries()) {
    const name = displayName(files[index] ?? "");
    if (json === true) outJson({ file: name, ...answer(value) });
    else out(`${printable(name)}: ${answerText(answer(value))}\n`);
  }
  if (values.length < 2) return;
  const result = answer(strictest(values));
  if (json === true) outJson({ result });
  else out(`of all: ${answerText(result)}\n`);
}

/** Runs one filter on packets, or all on a system call in the order in which they would be installed. */
export async function runFilters(files: readonly string[], options: RunFilterOptions): Promise<Status> {
  const machines: ClassicMachine[] = [];
  for (const file of files) {
    const machine = await machineOf(file, options);
    if (machine === undefined) return STATUS.found;
    machines.push(machine);
  }
  if (options.seccomp === true) {
    runOnCall(files, machines, options);
    return STATUS.held;
  }
  const [machine] = machines;
  if (machine === undefined || machines.length > 1) {
    throw new InputError(`run: ${machines.length} filters, but packets go through one`);
  }
  await runOnPackets(machine, options);
  return STATUS.held;
}
