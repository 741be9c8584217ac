/** `cbpf` as a user meets it. */
import { beforeAll, describe, expect, test } from "vitest";
import { directory, jsonLines, soundcheck } from "./testing.ts";

const TCP = "ldh [12]\njne #0x800, drop\nldb [23]\njne #6, drop\nret #60\ndrop: ret #0\n";
const NO_EXEC = "ld [0]\njeq #59, bad\nret #0x7fff0000\nbad: ret #0x50001\n";

/** An IPv4 packet of a protocol in an Ethernet frame. */
const frame = (protocol: number): Uint8Array =>
  Uint8Array.from({ length: 80 }, (_, at) => (at === 12 ? 8 : at === 14 ? 0x45 : at === 23 ? protocol : 0));

/** A capture file (draft-ietf-opsawg-pcap, sections 4 and 5): numbers are little-endian. */
function captureOf(packets: readonly Uint8Array[]): Uint8Array {
  const words = (...numbers: readonly number[]): Uint8Array =>
    new Uint8Array(Uint32Array.from(numbers).buffer);
  const header = words(0xa1b2c3d4, 0x0004_0002, 0, 0, 65_535, 1);
  const records = packets.flatMap((bytes) => [words(0, 0, bytes.length, bytes.length), bytes]);
  return Buffer.concat([header, ...records]);
}

describe("cbpf", () => {
  let cwd: string;
  beforeAll(() => {
    cwd = directory({
      "tcp.bpf": TCP,
      "noexec.bpf": NO_EXEC,
      "log.bpf": "ret #0x7ffc0000",
      "bad.bpf": "ld M[3]\nret a",
      "poff.bpf": "ld poff\nret a",
      "c.pcap": captureOf([6, 17, 6].map(frame)),
    });
  });
  const cbpf = (...args: readonly string[]) => soundcheck(["cbpf", ...args], { cwd });

  test("asm prints numbers, disasm assembly", async () => {
    const [asm, disasm] = await Promise.all([cbpf("asm", "tcp.bpf"), cbpf("disasm", "tcp.bpf", "-o", "d")]);
    expect(asm.stdout).toBe("6\n40 0 0 12\n21 0 3 2048\n48 0 0 23\n21 0 1 6\n6 0 0 60\n6 0 0 0\n");
    expect(disasm.stdout).toContain("(001) jeq      #0x800           jt 2\tjf 5\n");
  });

  test("check: 1 for a filter that is refused, with the reason", async () => {
    const bad = await cbpf("check", "--json", "bad.bpf", "tcp.bpf");
    expect(bad.status).toBe(1);
    expect(jsonLines(bad)).toEqual([
      {
        file: "bad.bpf",
        verdict: "reject",
        instructions: 2,
        insn: 0,
        message: "scratch word 3 may not have been set",
      },
      { file: "tcp.bpf", verdict: "accept", instructions: 6, insn: null, message: null },
    ]);
  });

  test("run on a capture", async () => {
    const ended = await cbpf("run", "tcp.bpf", "--pcap", "c.pcap", "--json");
    expect(ended.status).toBe(0);
    expect(jsonLines(ended)).toEqual([
      { packet_number: 1, length: 80, returned: 60, kept: 60 },
      { packet_number: 2, length: 80, returned: 0, kept: null },
      { packet_number: 3, length: 80, returned: 60, kept: 60 },
    ]);
  });

  test("run on a system call: the strictest filter counts", async () => {
    const ended = await cbpf("run", "--seccomp", "noexec.bpf", "log.bpf", "--nr", "59");
    expect(ended.stdout).toBe(
      "noexec.bpf: ERRNO 1 (returned 0x00050001)\nlog.bpf: LOG (returned 0x7ffc0000)\nof all: ERRNO 1 (returned 0x00050001)\n",
    );
  });

  test("convert: what comes out is verified", async () => {
    const [text, json] = await Promise.all([
      cbpf("convert", "tcp.bpf"),
      cbpf("convert", "--seccomp", "noexec.bpf", "--json"),
    ]);
    expect(text).toMatchObject({ status: 0, stderr: "" });
    expect(text.stdout).toContain("r0 = *(u16 *)skb[12]");
    expect(jsonLines(json)).toMatchObject([{ type: "raw_tracepoint", verdict: "accept" }]);
  });

  test.each([
    [
      ["convert", "poff.bpf"],
      "soundcheck: unsupported: the extension pay_offset in a program that can be loaded",
    ],
    [["run", "tcp.bpf", "--packet", "00", "--fact", "colour=1"], "soundcheck: --fact: colour is none of "],
  ])("%j: one line, and 2", async (args, message) => {
    const { status, stderr } = await cbpf(...args);
    expect(stderr.split("\n")[0]).toContain(message);
    expect({ status, lines: stderr.trimEnd().split("\n").length }).toEqual({ status: 2, lines: 1 });
  });
});
