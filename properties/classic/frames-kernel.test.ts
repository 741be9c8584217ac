/**
 * Claim: on Ethernet frames that come in at a device the classic machine keeps what the running kernel's filter keeps (SO_ATTACH_FILTER on a packet socket), and so does the conversion
 * (SO_ATTACH_BPF): filters of expressions, and of every extension whose value is known. The kernel takes a VLAN tag off first and keeps it beside the
 * frame. In a network namespace of its own; skipped where there can be none.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FilterSocket } from "../../src/oracle/linux/filter-socket.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { assembleFilter } from "../../src/semantics/classic/assemble.ts";
import { encodeFilter } from "../../src/semantics/classic/codec.ts";
import { convertFilter } from "../../src/semantics/classic/convert.ts";
import { frameProtocol, type PacketInput } from "../../src/semantics/classic/input.ts";
import type { Filter } from "../../src/semantics/classic/instruction.ts";
import { ClassicMachine } from "../../src/semantics/classic/machine.ts";
import { Unsupported } from "../../src/semantics/errors.ts";
import { ownNetworkProblem, within } from "../machine/own-network.ts";
import { EFFORT } from "../scalar/settings.ts";
import { readExpressions } from "./expression-corpus.ts";
import { generateFrames } from "./frames.ts";

const kernel = kernelAvailable();
const problem = kernel.ok ? ownNetworkProblem() : kernel.reason;
if (problem !== undefined) console.warn(`skipped: ${problem}`);

const DEVICE = {
  ifindex: 20,
  name: "filtered",
  mtu: 1500,
  address: Uint8Array.of(2, 0, 0, 0, 9, 9),
  forwards: { ipv4: false, ipv6: false },
};

function deviceNumber(name: string): number {
  const found: unknown = JSON.parse(
    execFileSync("ip", ["-j", "link", "show", "dev", name], { encoding: "utf8" }),
  );
  if (!Array.isArray(found)) throw new Error("ip tells a list");
  return Number(found[0].ifindex);
}

const TAGS: ReadonlySet<number> = new Set([0x8100, 0x88a8]);
const ARPHRD_ETHER = 1;

/** The kernel sends no less than a header, and throws away what should have a tag and ends before it and two more bytes. */
const arrives = (frame: Uint8Array): boolean => frame.length >= (TAGS.has(frameProtocol(frame)) ? 20 : 14);

/** A frame as a packet socket's filter has it. */
function received(frame: Uint8Array, ifindex: number): PacketInput {
  const outer = frameProtocol(frame);
  const tagged = TAGS.has(outer);
  const bytes = tagged ? Uint8Array.from([...frame.subarray(0, 12), ...frame.subarray(16)]) : frame;
  const tci = (frame[14] ?? 0) * 256 + (frame[15] ?? 0);
  const address = frame.subarray(0, 6);
  const group = ((frame[0] ?? 0) & 1) === 1;
  return {
    bytes,
    protocol: frameProtocol(bytes),
    pkttype: address.every((byte) => byte === 255) ? 1 : group ? 2 : 3,
    ifindex,
    hatype: ARPHRD_ETHER,
    ...(tagged ? { vlan: { tci, tpid: outer } } : {}),
  };
}

const EXTENSIONS = [
  "proto",
  "type",
  "ifidx",
  "hatype",
  "mark",
  "vlan_tci",
  "vlan_avail",
  "vlan_tpid",
  "poff",
  "[-0x100000]",
  "[-1048567]",
  "[-2097140]",
  "[12]",
].flatMap((operand) => [0, 11].map((shift) => `ld ${operand}\nrsh #${shift}\nand #0x7ff\nadd #1\nret a`));

const CUTS = ["ret #1", "ret #13", "ret #14", "ret #60", "ldb [20]\nret a"];

const expressions = readExpressions(
  readFileSync(new URL("../../corpus/classic/expressions.json", import.meta.url), "utf8"),
);

interface Tally {
  compared: number;
  kept: number;
  unsupported: number;
}

function compare(
  socket: FilterSocket,
  filter: Filter,
  frames: readonly Uint8Array[],
  to: number,
  tally: Tally,
): void {
  const machine = new ClassicMachine(filter);
  for (const frame of frames) {
    const input = received(frame, to);
    let value: number;
    try {
      value = machine.run(input);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      tally.unsupported += 1;
      continue;
    }
    const expected = value === 0 ? undefined : input.bytes.slice(0, value);
    const found = socket.pass(frame);
    if (Buffer.compare(found ?? new Uint8Array(), expected ?? new Uint8Array()) !== 0) {
      expect({ filter, frame, found }).toEqual({ filter, frame, found: expected });
    }
    tally.compared += 1;
    if (value !== 0) tally.kept += 1;
  }
}

test.skipIf(problem !== undefined)("Ethernet frames", () => {
  const tally = { compared: 0, kept: 0, unsupported: 0 };
  const frames = generateFrames(8, 60 * EFFORT)
    .map(({ bytes }) => bytes)
    .filter(arrives);
  const all = [
    ...[...EXTENSIONS, ...CUTS].map(assembleFilter),
    ...expressions.filter((_, index) => index % 8 === 0).map(({ filter }) => filter),
  ];
  within({ devices: [DEVICE] }, () => {
    const to = deviceNumber(`${DEVICE.name}peer`);
    const socket = new FilterSocket(THIS_MACHINE, { from: DEVICE.ifindex, to });
    for (const filter of all) {
      expect(socket.attach(encodeFilter(filter))).toBeUndefined();
      compare(socket, filter, frames, to, tally);
      try {
        const program = loadProgram(convertFilter("filter", filter, "socket"), { logLevel: 0 });
        if (program.verdict === "reject") throw new Error(program.message);
        socket.attachProgram(program.fd);
        compare(socket, filter, frames, to, tally);
        program.close();
      } catch (error) {
        if (!(error instanceof Unsupported)) throw error;
      }
    }
    socket.close();
  });
  expect(tally.kept).toBeGreaterThan(1000);
  expect(tally.unsupported).toBeLessThan(100 * EFFORT);
});
