/**
 * Claim: what programs do with sockets that lie in maps, with storage of sockets and at hooks of a control group on socket options and connections is in the machine what it is in the running kernel.
 * Skipped with the reason where bpf(2) cannot be used or there are no control groups.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPrograms } from "../../src/object/read.ts";
import { SYSCALL_NUMBERS } from "../../src/oracle/linux/abi.ts";
import { type Argument, call, type Memory } from "../../src/oracle/linux/calls.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { createMap, word } from "../../src/oracle/linux/maps.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { PacketSocket } from "../../src/vm/environment/socket-buffer.ts";
import type { Socket } from "../../src/vm/environment/sockets.ts";
import type { Environment } from "../../src/vm/environment.ts";
import { Machine } from "../../src/vm/machine.ts";
import { FRAME, map, program } from "../../src/vm/testing.ts";

/** asm/unistd_64.h of x86. */
const CALLS = {
  socket: 41,
  connect: 42,
  bind: 49,
  listen: 50,
  getsockname: 51,
  setsockopt: 54,
  getsockopt: 55,
};
const [AF_INET, AF_XDP] = [2, 44];
const [STREAM, DATAGRAM, RAW] = [1, 2, 3];
const [SOL_SOCKET, SO_PRIORITY, SO_COOKIE] = [1, 12, 57];

const kernel = kernelAvailable();
const isX86 = THIS_MACHINE.arch === "x64";
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const ROOT = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) =>
  existsSync(`${path}/cgroup.controllers`),
);
const GROUP = `${ROOT ?? ""}/soundcheck-hooks-${process.pid}`;

const OUT = map("array", { name: "out", valueSize: 256, maxEntries: 1 });

const back = (bytes: Uint8Array): Memory => ({ bytes, back: "all" });
const bytes32 = (...words: readonly number[]): Memory => back(new Uint8Array(Uint32Array.from(words).buffer));
const system = (number: number, values: readonly Argument[]): number => {
  const { errno, result } = call(THIS_MACHINE, number, values);
  if (errno !== 0) throw new Error(`system call ${number}: error ${errno}`);
  return result;
};
/** An address of the loopback device. */
const address = (port: number): Memory =>
  back(Uint8Array.from([AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1, ...new Uint8Array(8)]));

function opened(type: number): { readonly fd: number; readonly port: number; readonly cookie: bigint } {
  const fd = system(CALLS.socket, [AF_INET, type, 0]);
  system(CALLS.bind, [fd, address(0), 16]);
  if (type === STREAM) system(CALLS.listen, [fd, 1]);
  const name = address(0);
  system(CALLS.getsockname, [fd, name, bytes32(16)]);
  const cookie = bytes32(0, 0);
  system(CALLS.getsockopt, [fd, SOL_SOCKET, SO_COOKIE, cookie, bytes32(8)]);
  return {
    fd,
    port: Buffer.from(name.bytes).readUInt16BE(2),
    cookie: Buffer.from(cookie.bytes).readBigUInt64LE(0),
  };
}

const seen = (protocol: "tcp" | "udp", port: number): Socket => ({
  protocol,
  state: protocol === "tcp" ? "listen" : "close",
  local: { address: Uint8Array.of(127, 0, 0, 1), port },
});

/** Writes what a socket in r0 shows to `out` from `at` on. */
const show = (at: number): string =>
  [4, 8, 12, 16, 20, 24, 44, 48, 52, 72]
    .map((field, i) => `r1 = *(u32 *)(r0 +${field})\n*(u32 *)(r9 +${at + 4 * i}) = r1`)
    .join("\n");

const ownOut = (machine: Machine): string => {
  const out = machine.map("out");
  return Buffer.from((out.kind === "values" ? out.find(word(0), 0)?.bytes : undefined) ?? []).toString("hex");
};

describe.skipIf(!kernel.ok || !isX86)("sockets in maps", () => {
  /** The program on both sides, with the elements of its second map that each has. */
  function both(
    tested: Program,
    fds: readonly number[],
    fill: (machine: Machine) => void,
  ): readonly [string, string] {
    const loaded = loadProgram(tested);
    if (loaded.verdict === "reject") throw new Error(loaded.log);
    try {
      const [out, held] = loaded.maps;
      for (const [index, fd] of fds.entries()) held?.update(word(index), word(fd));
      const tried = testRun(loaded.fd, { packet: FRAME });
      if (!tried.ran) throw new Error(tried.message);
      const machine = new Machine(tested, { uninitialisedStack: "allow" });
      fill(machine);
      const ended = machine.run({ packet: FRAME });
      if (ended.outcome === "fault") throw new Error(ended.fault.message);
      return [ownOut(machine), Buffer.from(out?.lookup(word(0)) ?? []).toString("hex")];
    } finally {
      loaded.close();
    }
  }

  const lookUp = (key: number): string =>
    `*(u64 *)(r10 -8) = ${key}\nr2 = r10\nr2 += -8\nr1 = map[m]\ncall bpf_map_lookup_elem`;
  const remove = (key: number, at: number): string =>
    `*(u64 *)(r10 -8) = ${key}\nr2 = r10\nr2 += -8\nr1 = map[m]\ncall bpf_map_delete_elem\n*(u64 *)(r9 +${at}) = r0`;

  it.each(["sockmap", "sockhash"] as const)("a %s: look-ups, updates and deletions", (type) => {
    const [tcp, udp] = [opened(STREAM), opened(DATAGRAM)];
    try {
      const each = (key: number, at: number): string =>
        `${lookUp(key)}\nif r0 == 0 goto none${key}\n${show(at)}\nr1 = r0\ncall bpf_sk_release\nnone${key}:`;
      // The test run's own socket is none that such a map takes; the one that is found is, at another place.
      const update = `r3 = *(u64 *)(r6 +168)\nif r3 == 0 goto no_socket\n*(u64 *)(r10 -8) = 3\nr2 = r10\nr2 += -8\nr4 = 0\nr1 = map[m]\ncall bpf_map_update_elem\n*(u64 *)(r9 +160) = r0\nno_socket:`;
      const again = `${lookUp(0)}\nif r0 == 0 goto gone\nr7 = r0\n*(u64 *)(r10 -8) = 2\nr2 = r10\nr2 += -8\nr3 = r7\nr4 = 1\nr1 = map[m]\ncall bpf_map_update_elem\n*(u64 *)(r9 +168) = r0\n*(u64 *)(r10 -8) = 2\nr2 = r10\nr2 += -8\nr3 = r7\nr4 = 1\nr1 = map[m]\ncall bpf_map_update_elem\n*(u64 *)(r9 +176) = r0\nr1 = r7\ncall bpf_sk_release\ngone:`;
      const asm = `r6 = r1\nr9 = map_value[out]+0\n${each(0, 0)}\n${each(1, 48)}\n${each(3, 96)}\n${update}\n${again}\n${remove(1, 184)}\n${remove(1, 192)}\n${remove(9, 200)}\nr0 = 0\nexit`;
      const [own, expected] = both(
        program("sched_cls", asm, [OUT, map(type, { valueSize: 4, maxEntries: 4 })]),
        [tcp.fd, udp.fd],
        (machine) => {
          const held = machine.map("m");
          if (held.kind !== "sockets") throw new Error("a map of sockets");
          const shape = { kind: "socket", id: 0, family: "inet", open: true, reuseport: false } as const;
          for (const [index, { port, cookie }] of [tcp, udp].entries()) {
            const protocol = index === 0 ? "tcp" : "udp";
            held.put(word(index), { ...shape, cookie, protocol, seen: seen(protocol, port) }, 0n);
          }
        },
      );
      expect(own).toBe(expected);
      // It was found: the port is there.
      expect(Buffer.from(expected, "hex").readUInt32LE(24)).toBe(tcp.port);
    } finally {
      closeSync(tcp.fd);
      closeSync(udp.fd);
    }
  });

  it("storage of a packet's socket: made, found, begun with a value, deleted", () => {
    const get = (value: string, flags: number, at: number): string =>
      `r2 = r7\n${value}\nr4 = ${flags}\nr1 = map[m]\ncall bpf_sk_storage_get\nr1 = 99\nif r0 == 0 goto at${at}\nr1 = *(u64 *)(r0 +0)\n*(u64 *)(r0 +0) = 5\nat${at}:\n*(u64 *)(r9 +${at}) = r1`;
    const remove = (at: number): string =>
      `r2 = r7\nr1 = map[m]\ncall bpf_sk_storage_delete\n*(u64 *)(r9 +${at}) = r0`;
    const given = "*(u64 *)(r10 -8) = 42\nr3 = r10\nr3 += -8";
    const asm = `r6 = r1\nr9 = map_value[out]+0\nr7 = *(u64 *)(r6 +168)\nif r7 == 0 goto out\nr1 = r7\ncall bpf_sk_fullsock\nif r0 == 0 goto out\nr7 = r0\n${get("r3 = 0", 0, 0)}\n${get("r3 = 0", 1, 8)}\n${get(given, 1, 16)}\n${remove(24)}\n${remove(32)}\n${get(given, 1, 40)}\n${get("r3 = 0", 0, 48)}\n${get("r3 = 0", 2, 56)}\nout:\nr0 = 0\nexit`;
    const bundle = {
      name: "stored",
      type: "sched_cls",
      license: "GPL",
      asm: asm.split("\n"),
      btf: "9feb01001800000000000000200000002000000009000000010000000000000104000000200000010500000000000001080000004000000000696e740075363400",
      maps: [
        { name: "out", type: "array", key_size: 4, value_size: 256, max_entries: 1, flags: 0 },
        {
          name: "m",
          type: "sk_storage",
          key_size: 4,
          value_size: 8,
          max_entries: 0,
          flags: 1,
          btf_key: 1,
          btf_value: 2,
        },
      ],
    };
    const [stored] = readPrograms("stored.prog.json", Buffer.from(JSON.stringify(bundle))).programs;
    if (stored === undefined) throw new Error("a bundle holds a program");
    const [own, expected] = both(stored, [], () => undefined);
    expect(own).toBe(expected);
    expect(Buffer.from(expected, "hex").readBigUInt64LE(16)).toBe(5n);
  });
});

describe.skipIf(!kernel.ok || !isX86 || ROOT === undefined)("hooks of a control group", () => {
  let group = -1;
  let before = "";

  beforeAll(() => {
    if (ROOT === undefined || !kernel.ok) return;
    const own = readFileSync("/proc/self/cgroup", "latin1")
      .split("\n")
      .find((line) => line.startsWith("0::"));
    before = `${ROOT}${own?.slice(3) ?? "/"}`;
    mkdirSync(GROUP);
    group = openSync(GROUP, "r");
    writeFileSync(`${GROUP}/cgroup.procs`, String(process.pid));
  });

  afterAll(() => {
    if (group < 0) return;
    writeFileSync(`${before}/cgroup.procs`, String(process.pid));
    closeSync(group);
    rmdirSync(GROUP);
  });

  /** What the kernel's program leaves in `out` when something happens to a socket. */
  function attached(tested: Program, type: number, happens: () => void): string {
    const out = createMap(OUT);
    const loaded = loadProgram(tested, { maps: [out] });
    if (loaded.verdict === "reject") throw new Error(loaded.log);
    const number = SYSCALL_NUMBERS[THIS_MACHINE.arch] ?? 0;
    const bpf = (command: number): number => {
      const attribute = back(
        new Uint8Array(Uint32Array.of(group, loaded.fd, type, command === 8 ? 2 : 0).buffer),
      );
      return call(THIS_MACHINE, number, [command, attribute, 16]).errno;
    };
    try {
      expect(bpf(8)).toBe(0);
      happens();
      return Buffer.from(out.lookup(word(0)) ?? []).toString("hex");
    } finally {
      bpf(9);
      loaded.close();
      out.close();
    }
  }

  const onMachine = (
    tested: Program,
    environment: Environment,
  ): readonly [string, Uint8Array | undefined] => {
    const machine = new Machine(tested);
    const ended = machine.run(environment);
    if (ended.outcome === "fault") throw new Error(`${ended.fault.insn}: ${ended.fault.message}`);
    return [ownOut(machine), ended.packet];
  };

  const hookSocket = (protocol: "tcp" | "udp", port: number, cookie: bigint): PacketSocket => ({
    cookie,
    uid: 0,
    socket: seen(protocol, port),
  });

  it("the value of an option that is set, read and changed", () => {
    const asm = `r6 = r1\nr9 = map_value[out]+0\nr0 = *(u64 *)(r6 +0)\n${show(0)}\nr7 = *(u64 *)(r6 +8)\nr8 = *(u64 *)(r6 +16)\nr1 = r8\nr1 -= r7\n*(u64 *)(r9 +64) = r1\nr1 = *(u32 *)(r6 +24)\n*(u32 *)(r9 +72) = r1\nr1 = *(u32 *)(r6 +28)\n*(u32 *)(r9 +76) = r1\nr1 = *(u32 *)(r6 +32)\n*(u32 *)(r9 +80) = r1\nr1 = r7\nr1 += 4\nif r1 > r8 goto out\nr1 = *(u32 *)(r7 +0)\n*(u32 *)(r9 +84) = r1\n*(u8 *)(r7 +0) = 3\nout:\nr0 = 1\nexit`;
    const tested: Program = { ...program("cgroup_sockopt", asm, [OUT]), attach: "cgroup_setsockopt" };
    const { fd, port, cookie } = opened(STREAM);
    try {
      const value = Uint8Array.of(5, 0, 0, 0);
      const expected = attached(tested, 22, () => {
        system(CALLS.setsockopt, [fd, SOL_SOCKET, SO_PRIORITY, back(value.slice()), 4]);
      });
      const changed = bytes32(0);
      system(CALLS.getsockopt, [fd, SOL_SOCKET, SO_PRIORITY, changed, bytes32(4)]);
      const context = new Uint8Array(40);
      context.set(new Uint8Array(Uint32Array.of(SOL_SOCKET, SO_PRIORITY, 4).buffer), 24);
      const [own, packet] = onMachine(tested, {
        packet: value,
        context,
        hookSocket: hookSocket("tcp", port, cookie),
      });
      expect(own).toBe(expected);
      expect(packet).toEqual(changed.bytes);
      expect(changed.bytes[0]).toBe(3);
    } finally {
      closeSync(fd);
    }
  });

  it("a connection's socket and its cookie", () => {
    const asm = `r6 = r1\nr9 = map_value[out]+0\ncall bpf_get_socket_cookie\n*(u64 *)(r9 +64) = r0\nr0 = *(u64 *)(r6 +64)\n${show(0)}\nr0 = 1\nexit`;
    const tested: Program = { ...program("cgroup_sock_addr", asm, [OUT]), attach: "cgroup_inet4_connect" };
    const { fd, port, cookie } = opened(DATAGRAM);
    try {
      const expected = attached(tested, 10, () => {
        system(CALLS.connect, [fd, address(9), 16]);
      });
      const [own] = onMachine(tested, { hookSocket: hookSocket("udp", port, cookie) });
      expect(own).toBe(expected);
      expect(Buffer.from(expected, "hex").readBigUInt64LE(64)).toBe(cookie);
    } finally {
      closeSync(fd);
    }
  });
});

describe.skipIf(!kernel.ok || !isX86)("AF_XDP sockets in maps", () => {
  it("tell their queue", () => {
    const definition = map("xskmap", { valueSize: 4 });
    const asm = `r9 = map_value[out]+0\n*(u64 *)(r9 +0) = 7\n*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -8\nr1 = map[m]\ncall bpf_map_lookup_elem\nif r0 == 0 goto out\nr1 = *(u32 *)(r0 +0)\n*(u64 *)(r9 +0) = r1\nout:\nr0 = 2\nexit`;
    const tested = program("xdp", asm, [OUT, definition]);
    const fd = system(CALLS.socket, [AF_XDP, RAW, 0]);
    const [out, held] = [createMap(OUT), createMap(definition)];
    try {
      held.update(word(0), word(fd));
      const loaded = loadProgram(tested, { maps: [out, held] });
      if (loaded.verdict === "reject") throw new Error(loaded.log);
      expect(testRun(loaded.fd, { packet: FRAME }).ran).toBe(true);
      loaded.close();
      const machine = new Machine(tested);
      const own = machine.map("m");
      if (own.kind !== "sockets") throw new Error("a map of sockets");
      const shape = { kind: "socket", id: 0, cookie: 1n, open: false, reuseport: false } as const;
      own.put(word(0), { ...shape, family: "xdp", protocol: "other", queue: 0 }, 0n);
      expect(machine.run({ packet: FRAME }).outcome).toBe("exit");
      expect(ownOut(machine)).toBe(Buffer.from(out.lookup(word(0)) ?? []).toString("hex"));
      expect(ownOut(machine).slice(0, 2)).toBe("00");
    } finally {
      out.close();
      held.close();
      closeSync(fd);
    }
  });
});
