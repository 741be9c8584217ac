/** Programs that hold objects, run on the machine and on the running kernel. */
import { loadProgram } from "../../src/oracle/linux/load.ts";
import type { KernelMap } from "../../src/oracle/linux/maps.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { Unsupported } from "../../src/semantics/errors.ts";
import { Machine } from "../../src/vm/machine.ts";
import type { MapStorage } from "../../src/vm/maps/map.ts";
import { KernelRing } from "./kernel-ring.ts";
import { type ObjectProgram, RECORD } from "./object-programs.ts";

/** Runs of each program, which find what those before them left. */
const RUNS = 3;
const PACKET = Uint8Array.from({ length: 64 }, (_, i) =>
  i < 12 ? 0 : i === 12 ? 0x88 : i === 13 ? 0xb5 : i,
);

/** Runs and differences by family of helper or kernel function. */
export class ObjectTally {
  readonly #rows = new Map<string, number>();
  programs = 0;
  compared = 0;
  different = 0;

  add(calls: readonly string[]): void {
    this.compared += calls.length;
    for (const call of calls) this.#rows.set(call, (this.#rows.get(call) ?? 0) + 1);
  }

  /** As Markdown. */
  table(): string {
    const rows = [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      "| function | calls |",
      "| --- | --- |",
      ...rows.map(([call, count]) => `| ${call} | ${count} |`),
    ].join("\n");
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Maps whose bytes are the program's own: in others the kernel shows addresses of lists. */
const PLAIN: ReadonlySet<string> = new Set(["out", "memory"]);

type Seen = Readonly<Record<string, string | number>>;

function machineMaps(maps: readonly MapStorage[]): Seen {
  const seen: Record<string, string | number> = {};
  for (const map of maps) {
    const { name } = map.definition;
    if (map.kind === "values" && PLAIN.has(name))
      seen[name] = hex(map.find(new Uint8Array(4), 0)?.bytes ?? new Uint8Array(0));
    if (map.kind === "ring") {
      seen["producer"] = map.producer;
      seen["ring"] = hex(map.data);
    }
  }
  return seen;
}

function kernelMaps(maps: readonly KernelMap[], ring: KernelRing | undefined): Seen {
  const seen: Record<string, string | number> = {};
  for (const map of maps) {
    const { name } = map.definition;
    if (PLAIN.has(name)) seen[name] = hex(map.lookup(new Uint8Array(4)) ?? new Uint8Array(0));
  }
  if (ring !== undefined) {
    seen["producer"] = ring.producer;
    seen["ring"] = hex(ring.data);
  }
  return seen;
}

/** What the machine and the kernel disagree about, in words; nothing if they agree. @throws if the kernel refuses the program */
export function compareObjects({ program, calls }: ObjectProgram, tally: ObjectTally): string | undefined {
  const loaded = loadProgram(program, { logLevel: 0 });
  if (loaded.verdict === "reject") throw new Error(`${program.name}: ${loadProgram(program).log}`);
  const map = loaded.maps.find(({ definition }) => definition.type === "ringbuf");
  const ring = map === undefined ? undefined : new KernelRing(map);
  try {
    tally.programs += 1;
    const machine = new Machine(program, { uninitialisedStack: "allow" });
    for (let run = 0; run < RUNS; run += 1) {
      const ended = machine.run({ packet: PACKET });
      if (ended.outcome === "fault") return `a fault at ${ended.fault.insn}: ${ended.fault.message}`;
      const kernel = testRun(loaded.fd, { packet: PACKET, contextBack: false });
      if (!kernel.ran) return kernel.message;
      tally.add(calls);
      const retval = Number(BigInt.asUintN(32, ended.r0));
      const own = { retval, packet: hex(ended.packet ?? new Uint8Array(0)), ...machineMaps(machine.maps) };
      const expected = {
        retval: kernel.retval,
        packet: hex(kernel.packet),
        ...kernelMaps(loaded.maps, ring),
      };
      const difference = differing(own, expected);
      if (difference !== undefined) return `run ${run}: ${difference}`;
    }
    return undefined;
  } catch (error) {
    if (error instanceof Unsupported) return `not modelled: ${error.message}`;
    throw error;
  } finally {
    ring?.close();
    loaded.close();
  }
}

function differing(own: Seen, expected: Seen): string | undefined {
  for (const name of Object.keys(expected)) {
    if (own[name] === expected[name]) continue;
    const [a, b] = [String(own[name]), String(expected[name])];
    let at = 0;
    while (a[at] === b[at]) at += 1;
    const from = at & ~15;
    const place =
      name === "out"
        ? ` (operation ${Math.floor(at / 2 / RECORD)}, place ${Math.floor(((at / 2) % RECORD) / 8)})`
        : "";
    return `${name} from byte ${from / 2}${place}: ${a.slice(from, from + 32)}, the kernel ${b.slice(from, from + 32)}`;
  }
  return undefined;
}
