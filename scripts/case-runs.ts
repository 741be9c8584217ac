/**
 * The accepted programs of `corpus/verifier`, run on the machine and on the running kernel: the result, the packet and the maps are to be the same. Prints where they differ, and how
 * many are the same, differ, or cannot be run, by the machine or by the kernel; exit status 1 if any differs. Differences that are to be expected: addresses of the kernel's that a program returns
 * or stores, what it never wrote, and who runs it.
 *
 *     npx tsx scripts/case-runs.ts [PATTERN]
 */
import { readdirSync, readFileSync } from "node:fs";
import { rulesOf } from "../src/campaign/compare/rules.ts";
import { readPrograms } from "../src/object/read.ts";
import { kernelAvailable } from "../src/oracle/linux/kernel.ts";
import { type LoadResult, loadProgram } from "../src/oracle/linux/load.ts";
import type { KernelMap } from "../src/oracle/linux/maps.ts";
import { testRun } from "../src/oracle/linux/test-run.ts";
import { THIS_MACHINE } from "../src/oracle/linux/this-machine.ts";
import { InputError, Unsupported } from "../src/semantics/errors.ts";
import type { Program } from "../src/semantics/program/program.ts";
import { verify } from "../src/verifier/verify.ts";
import { Machine } from "../src/vm/machine.ts";
import type { MapStorage } from "../src/vm/maps/map.ts";

const CASES = new URL("../corpus/verifier/", import.meta.url);
const PACKET = Uint8Array.from({ length: 64 }, (_, i) =>
  i < 12 ? 0 : i === 12 ? 0x88 : i === 13 ? 0xb5 : i,
);
/** What test runs take: with a packet, and without. */
const ON_PACKETS = new Set([
  "sched_cls",
  "xdp",
  "socket_filter",
  "cgroup_skb",
  "lwt_in",
  "lwt_out",
  "lwt_xmit",
]);
const ON_NOTHING = new Set(["syscall", "raw_tracepoint"]);
/** Longer runs are not waited for. */
const LONGEST = 5_000_000n;
/** Fields in which a kernel shows addresses of its own to user space. */
const ADDRESSES = new Set(["list_head", "rb_root"]);

type Seen = Readonly<Record<string, string>>;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function valueText({ definition }: Pick<KernelMap, "definition">, value: Uint8Array): string {
  const bytes = value.slice();
  for (const { kind, offset } of definition.fields ?? [])
    if (ADDRESSES.has(kind)) bytes.fill(0, offset, offset + 16);
  return hex(bytes);
}

/** Values by map and key; per-CPU maps are left out, since the kernel chooses the processor. */
function contents(maps: readonly (KernelMap | MapStorage)[]): Seen {
  const seen: Record<string, string> = {};
  for (const map of maps) {
    const { name, type } = map.definition;
    if (!/^(?:array|hash|lru_hash)$/.test(type) || !("entries" in map)) continue;
    for (const [key, value] of map.entries()) seen[`${name} ${hex(key)}`] = valueText(map, value);
  }
  return seen;
}

/** What the machine gives; nothing if it cannot run the program. */
function onMachine(program: Program, packet: Uint8Array | undefined): Seen | undefined {
  try {
    const machine = new Machine(program, { uninitialisedStack: "allow" });
    const ended = machine.run(packet === undefined ? {} : { packet });
    if (ended.outcome === "fault")
      return { fault: `${ended.fault.kind} at ${ended.fault.insn}: ${ended.fault.message}` };
    const retval = String(BigInt.asUintN(32, ended.r0));
    return { retval, packet: hex(ended.packet ?? new Uint8Array(0)), ...contents(machine.maps) };
  } catch (error) {
    if (error instanceof Unsupported || error instanceof InputError) return undefined;
    throw error;
  }
}

/** Some programs attach to what not every kernel has, or are of loaders that it does not take programs from. */
function tryLoad(program: Program): LoadResult | undefined {
  try {
    return loadProgram(program, { logLevel: 0 });
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

/** What the kernel gives; nothing if it refuses the program or to run it. */
function onKernel(program: Program, packet: Uint8Array | undefined): Seen | undefined {
  const loaded = tryLoad(program);
  if (loaded?.verdict !== "accept") return undefined;
  try {
    const ended = testRun(loaded.fd, { ...(packet === undefined ? {} : { packet }), contextBack: false });
    if (!ended.ran) return undefined;
    return { retval: String(ended.retval), packet: hex(ended.packet), ...contents(loaded.maps) };
  } finally {
    loaded.close();
  }
}

const available = kernelAvailable();
if (!available.ok) throw new Error(available.reason);
const pattern = new RegExp(process.argv[2] ?? "");
const rules = rulesOf(THIS_MACHINE);
const counts = { same: 0, different: 0, notByMachine: 0, notByKernel: 0, otherTypes: 0 };

for (const file of readdirSync(CASES).filter((name) => pattern.test(name))) {
  for (const program of readPrograms(file, readFileSync(new URL(file, CASES))).programs) {
    const verdict = verify(program, undefined, rules);
    if (verdict.verdict !== "accept" || verdict.longestRun > LONGEST) continue;
    if (!ON_PACKETS.has(program.type) && !ON_NOTHING.has(program.type)) {
      counts.otherTypes += 1;
      continue;
    }
    const packet = ON_PACKETS.has(program.type) ? PACKET : undefined;
    const own = onMachine(program, packet);
    const expected = own === undefined ? undefined : onKernel(program, packet);
    if (own === undefined) counts.notByMachine += 1;
    else if (expected === undefined) counts.notByKernel += 1;
    else {
      const names = Object.keys({ ...own, ...expected }).filter((name) => own[name] !== expected[name]);
      if (names.length === 0) counts.same += 1;
      else counts.different += 1;
      for (const name of names) console.log(`${file}: ${name}: ${own[name]}, the kernel ${expected[name]}`);
    }
  }
}
console.log(counts);
if (counts.different > 0) process.exitCode = 1;
