/** `run --pipeline` and `run --environment`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readCapture, writeCapture } from "../vm/pcap.ts";
import { frame } from "../vm/testing.ts";
import { directory, jsonLines, soundcheck } from "./testing.ts";

/** Sends back packets whose first byte after the Ethernet header is even. */
const FILTER = `; type: xdp
r2 = *(u32 *)(r1 +0)
r3 = *(u32 *)(r1 +4)
r0 = 1
r4 = r2
r4 += 15
if r4 > r3 goto +3
r0 = *(u8 *)(r2 +14)
r0 &= 1
r0 ^= 3
exit
`;

const PIPELINE = {
  devices: [{ name: "eth0", xdp: { native: "filter.s" } }],
  sockets: [
    { name: "tap", device: "eth0", filter: { name: "f", type: "socket_filter", asm: ["r0 = 20", "exit"] } },
  ],
};

function packets(): Uint8Array {
  const list = [0, 1, 2, 3].map((first) => {
    const bytes = frame(64);
    bytes[14] = first;
    return { bytes, length: 64, timeNs: BigInt(first) * 1_000_000_000n + 5n };
  });
  return writeCapture(list);
}

describe("run --pipeline", () => {
  test("counts what left by each exit, and writes captures", async () => {
    const files = { "p.json": JSON.stringify(PIPELINE), "filter.s": FILTER, "in.pcap": packets() };
    const cwd = directory(files);
    const args = ["run", "--pipeline", "p.json", "--pcap", "in.pcap", "--out", "exits"];
    const [text, json] = [await soundcheck(args, { cwd }), await soundcheck([...args, "--json"], { cwd })];
    expect(text.stderr).toBe("");
    expect(text.stdout.replace(/ +/g, " ")).toBe(
      [
        "exit verdict packets bytes file",
        "eth0: wire 2 128 eth0-wire.pcap",
        "socket tap 2 40 socket-tap.pcap",
        "eth0: network stack 2 128 eth0-network-stack.pcap",
        "4 packets in\n",
      ].join("\n"),
    );
    expect(jsonLines(json)).toMatchObject([
      { exit: "eth0: wire", kind: "sent", at: "eth0", packets: 2, bytes: 128 },
      { exit: "socket tap", kind: "socket", packets: 2, bytes: 40 },
      { exit: "eth0: network stack", kind: "stack", packets: 2 },
    ]);
    const tapped = readCapture(readFileSync(join(cwd, "exits", "socket-tap.pcap")));
    expect(tapped.map(({ length, timeNs, bytes }) => [length, timeNs, bytes[14]])).toEqual([
      [64, 1_000_000_005n, 1],
      [64, 3_000_000_005n, 3],
    ]);
  });

  test.each([
    [["--pipeline", "p.json", "--trace"], /--trace: not with --pipeline/],
    [["--pipeline", "bad.json", "--packet", "00"], /bad\.json: devices\[0\]\.xdp\.skb: unknown key/],
  ])("%j is 2", async (args, said) => {
    const bad = JSON.stringify({ devices: [{ name: "a", xdp: { skb: "filter.s" } }] });
    const cwd = directory({ "p.json": JSON.stringify(PIPELINE), "bad.json": bad, "filter.s": FILTER });
    const { status, stderr } = await soundcheck(["run", ...args], { cwd });
    expect(status).toBe(2);
    expect(stderr).toMatch(said);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("run --environment", () => {
  test("clock, processor and task", async () => {
    const asm =
      "; type: kprobe\ncall bpf_get_smp_processor_id\nr6 = r0\ncall bpf_get_current_pid_tgid\nr0 <<= 8\nr0 += r6\nexit\n";
    const environment = JSON.stringify({ cpus: 4, cpu: 3, task: { pid: 7 } });
    const cwd = directory({ "t.s": asm, "e.json": environment, "bad.json": '{"cpu": "x"}' });
    const ended = await soundcheck(["run", "t.s", "--environment", "e.json", "--json"], { cwd });
    expect(jsonLines(ended)).toMatchObject([{ outcome: "exit", retval: 7 * 256 + 3 }]);
    const wrong = await soundcheck(["run", "t.s", "--environment", "bad.json"], { cwd });
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toMatch(/bad\.json: cpu: /);
  });
});
