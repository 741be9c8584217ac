/**
 * Claim: the machine runs the programs of the corpus as the running kernel does: on the same packets, the same return value, the same packet
 * out, and afterwards the same contents of every map. Skipped with the reason where bpf(2) cannot be used.
 */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { readExpectations } from "../../src/object/expectations.ts";
import { readPrograms } from "../../src/object/read.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { word } from "../../src/oracle/linux/maps.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";
import { PACKETS } from "./packets.ts";
import { Pair } from "./pair.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const OBJECTS = new URL("../../corpus/objects/", import.meta.url);

/** Types that BPF_PROG_TEST_RUN runs on packets. */
const ON_PACKETS: ReadonlySet<ProgramType> = new Set([
  "socket_filter",
  "sched_cls",
  "sched_act",
  "xdp",
  "cgroup_skb",
  "lwt_in",
  "lwt_out",
  "lwt_xmit",
]);

/** Objects that answer by the time of day: here both run, and neither may fault, but they need not agree. */
const BY_THE_CLOCK = /^xdp_token_bucket\./;

let runs = 0;
let programs = 0;

const expectations = readExpectations(readFileSync(new URL("../expectations.json", OBJECTS), "utf8"));

/** A file's programs without those that the kernel refuses. */
function programsOf(file: string): readonly Program[] {
  const wanted = expectations.get(file.replace(/\.v\d\.o$/, ""));
  return readPrograms(file, readFileSync(new URL(file, OBJECTS))).programs.filter(
    ({ name }) => wanted?.get(name)?.verdict !== "reject",
  );
}

const files = readdirSync(OBJECTS).filter((file) => file.endsWith(".o") && !file.startsWith("fault_"));

/** Bytes that programs look for in keys and values: a flow (addresses, ports, UDP), an address, a port, small numbers. */
const PATTERNS: readonly string[] = [
  "0a0000010a000002e803d00711",
  "0a000001",
  "0a000002",
  "c0a80105",
  "0050",
  "0035",
  "01",
  "00",
  "ff",
];

function patterned(pattern: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(Buffer.from(pattern, "hex").subarray(0, size));
  return bytes;
}

/** Puts something into every map that user space may write. */
function fill(pair: Pair, programs: readonly Program[]): void {
  const definitions = new Map(programs.flatMap(({ maps }) => maps).map((map) => [map.name, map]));
  for (const { name, type, keySize, valueSize, maxEntries, frozen } of definitions.values()) {
    if (frozen === true || !VALUE_MAPS.has(type)) continue;
    for (const [i, pattern] of PATTERNS.entries()) {
      if (i >= maxEntries) break;
      const key = type.endsWith("array") ? word(i) : patterned(pattern, keySize);
      pair.update(name, key, patterned(PATTERNS.at(-1 - i) ?? "", valueSize));
    }
  }
}

const VALUE_MAPS: ReadonlySet<string> = new Set(["array", "hash", "percpu_array", "percpu_hash"]);

function compare(file: string, filled: boolean): void {
  const all = programsOf(file);
  if (!all.some(({ type }) => ON_PACKETS.has(type))) return;
  const pair = new Pair(all);
  try {
    if (filled) fill(pair, all);
    for (const [index, { name, type }] of all.entries()) {
      if (!ON_PACKETS.has(type)) continue;
      programs += 1;
      for (const { title, bytes } of PACKETS) {
        const { machine, kernel: expected } = pair.run(index, { packet: bytes });
        if (BY_THE_CLOCK.test(file)) expect(typeof machine.retval).toBe("number");
        else expect(machine, `${name}: ${title}`).toEqual(expected);
        runs += 1;
      }
    }
    const { machine, kernel: expected } = pair.contents();
    if (!BY_THE_CLOCK.test(file)) expect(machine).toEqual(expected);
  } finally {
    pair.close();
  }
}

describe.skipIf(!kernel.ok)("the corpus on the machine and on the kernel", () => {
  it.each(files)("%s", (file) => compare(file, false));
  it.each(files)("%s, with something in its maps", (file) => compare(file, true));

  afterAll(() => {
    console.log(`corpus against the kernel: ${runs} runs of ${programs} programs`);
  });
});
