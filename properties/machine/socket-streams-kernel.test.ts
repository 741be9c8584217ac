/**
 * Claim: programs of a socket map on what goes through its sockets, messages that are sent (`sk_msg`) and buffers that are received (`sk_skb`), see in the machine what they see in the running kernel.
 * Skipped with the reason where bpf(2) cannot be used.
 */
import { closeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SYSCALL_NUMBERS } from "../../src/oracle/linux/abi.ts";
import { call } from "../../src/oracle/linux/calls.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { createMap, word } from "../../src/oracle/linux/maps.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { Environment } from "../../src/vm/environment.ts";
import { Machine } from "../../src/vm/machine.ts";
import { map, program } from "../../src/vm/testing.ts";
import { AF_INET, address, back, bytes32, CALLS, opened, STREAM, system } from "./own-sockets.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const [ATTACH, DETACH, ACCEPT] = [8, 9, 43];
const OUT = map("array", { name: "out", valueSize: 64, maxEntries: 1 });
const LOCALHOST = 0x0100007f;
const TEXT = "a message";

interface Pair {
  readonly client: number;
  readonly server: number;
  readonly clientPort: number;
  readonly serverPort: number;
}

/** Two connected sockets. */
function withPair(use: (pair: Pair) => void): void {
  const [listener, client] = [opened(STREAM), system(CALLS.socket, [AF_INET, STREAM, 0])];
  const open = [listener.fd, client];
  try {
    system(CALLS.connect, [client, address(listener.port), 16]);
    const server = system(ACCEPT, [listener.fd, 0, 0]);
    open.push(server);
    const name = address(0);
    system(CALLS.getsockname, [client, name, bytes32(16)]);
    const clientPort = Buffer.from(name.bytes).readUInt16BE(2);
    use({ client, server, clientPort, serverPort: listener.port });
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

const send = ({ client }: Pair): number =>
  system(CALLS.sendto, [client, back(Buffer.from(TEXT, "latin1")), TEXT.length, 0, 0, 0]);

/** What the program leaves in `out` in the kernel, attached to a map that has the socket. */
function attached(tested: Program, type: number, socket: number, happens: () => void): string {
  const [out, held] = [createMap(OUT), createMap(map("sockmap", { valueSize: 4 }))];
  const loaded = loadProgram(tested, { maps: [out] });
  try {
    if (loaded.verdict === "reject") throw new Error(loaded.log);
    const number = SYSCALL_NUMBERS[THIS_MACHINE.arch] ?? 0;
    const command = (which: number): number => {
      const attribute = back(new Uint8Array(Uint32Array.of(held.fd, loaded.fd, type, 0).buffer));
      return call(THIS_MACHINE, number, [which, attribute, 16]).errno;
    };
    expect(command(ATTACH)).toBe(0);
    held.update(word(0), word(socket));
    happens();
    expect(command(DETACH)).toBe(0);
    return Buffer.from(out.lookup(word(0)) ?? []).toString("hex");
  } finally {
    if (loaded.verdict !== "reject") loaded.close();
    out.close();
    held.close();
  }
}

function onMachine(tested: Program, environment: Environment): string {
  const machine = new Machine(tested);
  const ended = machine.run(environment);
  if (ended.outcome === "fault") throw new Error(`${ended.fault.insn}: ${ended.fault.message}`);
  expect(ended.r0).toBe(1n);
  const out = machine.map("out");
  return Buffer.from((out.kind === "values" ? out.find(word(0), 0)?.bytes : undefined) ?? []).toString("hex");
}

/** Writes down fields of the context, and whether the bytes are those of the text: its first and its last, and that there is none behind it. */
function reading(
  fields: readonly number[],
  load: (field: "data" | "data_end") => string,
  before = "",
): string {
  const copy = fields
    .map((field, i) => `r1 = *(u32 *)(r6 +${field})\n*(u32 *)(r9 +${4 * i}) = r1`)
    .join("\n");
  const { length } = TEXT;
  return `r6 = r1
    r9 = map_value[out]+0
    ${copy}
    ${before}
    r7 = ${load("data")}
    r8 = ${load("data_end")}
    r1 = r7
    r1 += ${length}
    if r1 > r8 goto out
    r1 = *(u8 *)(r7 +0)
    *(u8 *)(r9 +48) = r1
    r1 = *(u8 *)(r7 +${length - 1})
    *(u8 *)(r9 +49) = r1
    r1 = r7
    r1 += ${length + 1}
    if r1 > r8 goto out
    *(u8 *)(r9 +50) = 1
  out:
    r0 = 1
    exit`;
}

/** A port as fields of the other side have it: in network order, in the upper half. */
const inNetworkOrder = (port: number): number => (((port & 0xff) << 8) | (port >> 8)) * 2 ** 16;

function context(size: number, fields: readonly number[], values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(size);
  for (const [i, field] of fields.entries()) bytes.writeUInt32LE(values[i] ?? 0, field);
  return bytes;
}

describe.skipIf(!kernel.ok || THIS_MACHINE.arch !== "x64")("programs of socket maps", () => {
  it("a message that is sent", () => {
    // family, remote_ip4, local_ip4, remote_port, local_port, size
    const fields = [16, 20, 24, 60, 64, 68];
    const offset = { data: 0, data_end: 8 };
    const asm = reading(fields, (field) => `*(u64 *)(r6 +${offset[field]})`);
    const tested: Program = { ...program("sk_msg", asm, [OUT]), attach: "sk_msg_verdict" };
    withPair((pair) => {
      const expected = attached(tested, 7, pair.client, () => send(pair));
      const { clientPort, serverPort } = pair;
      const values = [AF_INET, LOCALHOST, LOCALHOST, inNetworkOrder(serverPort), clientPort];
      const packet = Buffer.from(TEXT, "latin1");
      expect(onMachine(tested, { packet, context: context(80, fields, values) })).toBe(expected);
      expect(Buffer.from(expected, "hex").toString("latin1", 48, 50)).toBe("ae");
      expect(Buffer.from(expected, "hex").readUInt32LE(16)).toBe(clientPort);
    });
  });

  it("a buffer that is received", () => {
    // len, family, remote_ip4, local_ip4, remote_port, local_port
    const fields = [0, 88, 92, 96, 132, 136];
    const offset = { data: 76, data_end: 80 };
    // In Linux what is received lies in pages, and pointers lead nowhere until it is pulled.
    const pull = `r1 = r6\nr2 = ${TEXT.length}\ncall bpf_skb_pull_data\n*(u64 *)(r9 +56) = r0`;
    const asm = reading(fields, (field) => `*(u32 *)(r6 +${offset[field]})`, pull);
    const tested: Program = { ...program("sk_skb", asm, [OUT]), attach: "sk_skb_verdict" };
    withPair((pair) => {
      const expected = attached(tested, 38, pair.server, () => send(pair));
      const { clientPort, serverPort } = pair;
      const values = [TEXT.length, AF_INET, LOCALHOST, LOCALHOST, inNetworkOrder(clientPort), serverPort];
      // What was before the payload is not the program's to see.
      const packet = Buffer.concat([Buffer.alloc(14), Buffer.from(TEXT, "latin1")]);
      const arrival = { from: "network", metadata: 0 } as const;
      const given = context(192, fields, values);
      expect(onMachine(tested, { packet, context: given, arrival })).toBe(expected);
      expect(Buffer.from(expected, "hex").toString("latin1", 48, 50)).toBe("ae");
      expect(Buffer.from(expected, "hex").readUInt32LE(20)).toBe(serverPort);
    });
  });
});
