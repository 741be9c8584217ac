/** `run`: packets and return values are those of corpus/expectations.json, which a test holds against the running kernel. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { directory, jsonLines, object, ROOT, soundcheck } from "./testing.ts";

interface Expectations {
  readonly packets: Readonly<Record<string, string>>;
  readonly objects: Readonly<
    Record<
      string,
      Readonly<
        Record<string, { readonly runs?: readonly { packet: string; retval: number; packet_out?: string }[] }>
      >
    >
  >;
}

const expectations = JSON.parse(readFileSync(`${ROOT}corpus/expectations.json`, "utf8")) as Expectations;
const packet = (name: string): string => expectations.packets[name] ?? "";

function runsOf(
  objectName: string,
  program: string,
): readonly { packet: string; retval: number; packet_out?: string }[] {
  const runs = expectations.objects[objectName]?.[program]?.runs ?? [];
  expect(runs.length).toBeGreaterThan(0);
  return runs;
}

/** A classic capture file: 24 bytes of header, 16 before each packet (draft-ietf-opsawg-pcap, sections 4 and 5). */
function capture(packets: readonly Uint8Array[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(24));
  header.setUint32(0, 0xa1b2c3d4, true);
  header.setUint16(4, 2, true);
  header.setUint16(6, 4, true);
  header.setUint32(16, 65535, true);
  header.setUint32(20, 1, true);
  const records = packets.flatMap((data) => {
    const record = new DataView(new ArrayBuffer(16));
    record.setUint32(8, data.length, true);
    record.setUint32(12, data.length, true);
    return [new Uint8Array(record.buffer), data];
  });
  return Buffer.concat([new Uint8Array(header.buffer), ...records]);
}

describe("run", () => {
  test.each([
    ["xdp_vlan", "vlan_guard"],
    ["xdp_encapsulate", "encapsulate"],
    ["tc_port_rewrite", "port_rewrite"],
    ["xdp_tail_calls", "dispatcher"],
  ])("%s on every packet of a capture: the kernel's return values and packets", async (name, program) => {
    const runs = runsOf(name, program);
    const packets = runs.map((run) => Uint8Array.from(Buffer.from(packet(run.packet), "hex")));
    const answers = await Promise.all(
      // Each in a process of its own: expectations are for fresh maps.
      packets.map(async (bytes) => {
        const cwd = directory({ "p.pcap": capture([bytes]) });
        return soundcheck(
          ["run", object(`${name}.v3.o`), "--program", program, "--pcap", "p.pcap", "--json"],
          { cwd },
        );
      }),
    );
    for (const [index, answer] of answers.entries()) {
      const run = runs[index];
      expect(answer).toMatchObject({ status: 0, stderr: "" });
      expect(jsonLines(answer)).toMatchObject([{ packet_number: 1, program, retval: run?.retval }]);
      if (run?.packet_out !== undefined) {
        const [{ packet: out = packet(run.packet) }] = jsonLines(answer) as [{ packet?: string }];
        expect(out).toBe(run.packet_out);
      }
    }
  });

  test("maps keep what earlier packets of a capture left", async () => {
    const tcp = Uint8Array.from(Buffer.from(packet("tcp_syn"), "hex"));
    const cwd = directory({ "three.pcap": capture([tcp, tcp, tcp]) });
    const ended = await soundcheck(
      ["run", object("xdp_protocol_counter.v3.o"), "--pcap", "three.pcap", "--maps", "--json"],
      { cwd },
    );
    const lines = jsonLines(ended) as readonly {
      readonly entries?: readonly { key: string; value: string }[];
    }[];
    expect(lines.slice(0, 3)).toMatchObject([
      { packet_number: 1 },
      { packet_number: 2 },
      { packet_number: 3 },
    ]);
    // The program counts packets and bytes by IP protocol (corpus/src/xdp_protocol_counter.bpf.c); 6 is TCP.
    const counters = lines.flatMap(({ entries }) => entries ?? []).find(({ key }) => key === "06000000");
    expect(counters?.value.startsWith("0300000000000000")).toBe(true);
  });

  test("text: the action's name, the packet out, and what the maps hold", async () => {
    const { stdout } = await soundcheck([
      "run",
      object("xdp_encapsulate.v3.o"),
      "--packet",
      packet("tcp_syn"),
      "--maps",
    ]);
    expect(stdout).toMatch(/^encapsulate: returned 3 \(0x3\) XDP_TX after \d+ instructions$/m);
    expect(stdout).toMatch(/^ {2}packet out, 74 bytes:$/m);
    expect(stdout).toMatch(/^ {4}0000: /m);
  });

  test("--trace shows each step with the registers that it changed", async () => {
    const cwd = directory({ "t.s": "; type: xdp\nr0 = 20\nr0 += 1\nr0 -= 19\nexit\n" });
    const args = ["run", "t.s", "--packet", "00".repeat(14), "--trace"];
    const [text, json] = await Promise.all([
      soundcheck(args, { cwd }),
      soundcheck([...args, "--json"], { cwd }),
    ]);
    expect(text.stdout.replace(/ +/g, " ")).toBe(
      "start ; R1=context+0 R10=stack+0\n0: (b7) r0 = 20 ; R0=0x14\n1: (07) r0 += 1 ; R0=0x15\n2: (17) r0 -= 19 ; R0=2\n3: (95) exit\nt: returned 2 (0x2) XDP_PASS after 4 instructions\n",
    );
    expect(jsonLines(json)).toHaveLength(6);
    expect(jsonLines(json)[1]).toEqual({
      pc: 0,
      program: "t",
      text: "(b7) r0 = 20",
      changed: { R0: "0x14" },
    });
  });

  test("a fault is one line, and 1", async () => {
    const { status, stdout } = await soundcheck([
      "run",
      object("fault_off_by_one.v3.o"),
      "--packet",
      "00".repeat(14),
    ]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^off_by_one: fault at insn \d+: .*1 byte at offset 14 of the packet.*\n$/);
  });

  test("--steps bounds a run that does not end", async () => {
    const args = [
      "run",
      object("fault_infinite_loop.v3.o"),
      "--packet",
      "00".repeat(14),
      "--steps",
      "1000",
      "--json",
    ];
    const ended = await soundcheck(args);
    expect(ended.status).toBe(1);
    expect(jsonLines(ended)).toMatchObject([{ outcome: "fault", kind: "budget", steps: 1000 }]);
  });

  test("--seed repeats a run of check: equal seeds give equal runs", async () => {
    const args = ["run", object("xdp_token_bucket.v3.o"), "--packet", packet("tcp_syn"), "--maps", "--json"];
    const [one, same, other] = await Promise.all(
      ["7", "7", "8"].map((seed) => soundcheck([...args, "--seed", seed])),
    );
    expect(one?.stdout).toBe(same?.stdout);
    expect(one?.stdout).not.toBe(other?.stdout);
  });

  test.each([
    [["--packet", "0g"], /--packet: "g"/],
    [["--packet", "00"], /packet: 1 bytes/],
    [[], /packet: a xdp program needs one/],
    [["--pcap", "absent.pcap"], /absent\.pcap: no such file/],
    [["--packet", "00".repeat(14), "--context", "00".repeat(99)], /context: 99 bytes/],
    [["--program", "nobody"], /has no program nobody/],
  ])("%j is 2", async (args, said) => {
    const { status, stderr } = await soundcheck(["run", object("xdp_vlan.v3.o"), ...args]);
    expect(status).toBe(2);
    expect(stderr).toMatch(said);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});
