/**
 * Claim: what programs do with sockets that lie in maps, with storage of sockets and at hooks of a control group on socket options and connections is in the machine what it is in the running kernel.
 * Skipped with the reason where bpf(2) cannot be used or there are no control groups.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPrograms } from "../../src/object/read.ts";
import { SYSCALL_NUMBERS } from "../../src/oracle/linux/abi.ts";
import { call } from "../../src/oracle/linux/calls.ts";
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
import {
  AF_INET,
  AF_XDP,
  address,
  back,
  bytes32,
  CALLS,
  DATAGRAM,
  opened,
  RAW,
  SO_ATTACH_REUSEPORT_EBPF,
  SO_PRIORITY,
  SO_REUSEPORT,
  SOL_SOCKET,
  STREAM,
  system,
} from "./own-sockets.ts";

const kernel = kernelAvailable();
const isX86 = THIS_MACHINE.arch === "x64";
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const ROOT = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) =>
  existsSync(`${path}/cgroup.controllers`),
);
const GROUP = `${ROOT ?? ""}/soundcheck-hooks-${process.pid}`;

const OUT = map("array", { name: "out", valueSize: 256, maxEntries: 1 });

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

  it("the value of an option that is asked for, read and changed", () => {
    const fields = [24, 28, 32, 36]
      .map((field) => `r1 = *(u32 *)(r6 +${field})\n*(u32 *)(r9 +${field}) = r1`)
      .join("\n");
    const asm = `r6 = r1\nr9 = map_value[out]+0\n${fields}\nr7 = *(u64 *)(r6 +8)\nr8 = *(u64 *)(r6 +16)\nr1 = r8\nr1 -= r7\n*(u64 *)(r9 +64) = r1\nr1 = r7\nr1 += 4\nif r1 > r8 goto out\nr1 = *(u32 *)(r7 +0)\n*(u32 *)(r9 +72) = r1\n*(u8 *)(r7 +0) = 6\nout:\nr0 = 1\nexit`;
    const tested: Program = { ...program("cgroup_sockopt", asm, [OUT]), attach: "cgroup_getsockopt" };
    const { fd, port, cookie } = opened(STREAM);
    try {
      system(CALLS.setsockopt, [fd, SOL_SOCKET, SO_PRIORITY, bytes32(5), 4]);
      const got = bytes32(0);
      const expected = attached(tested, 21, () => {
        system(CALLS.getsockopt, [fd, SOL_SOCKET, SO_PRIORITY, got, bytes32(4)]);
      });
      const context = new Uint8Array(40);
      context.set(new Uint8Array(Uint32Array.of(SOL_SOCKET, SO_PRIORITY, 4).buffer), 24);
      const [own, packet] = onMachine(tested, {
        packet: Uint8Array.of(5, 0, 0, 0),
        context,
        hookSocket: hookSocket("tcp", port, cookie),
      });
      expect(own).toBe(expected);
      expect(packet).toEqual(got.bytes);
      expect(got.bytes[0]).toBe(6);
    } finally {
      closeSync(fd);
    }
  });

  it("a connection that is established: addresses, ports, state, and the segment that said so", () => {
    // op, family, remote_ip4, local_ip4, remote_port, local_port, is_fullsock, state, skb_len, skb_tcp_flags
    const fields = [0, 20, 24, 28, 64, 68, 72, 88, 208, 212];
    const copy = fields.map((f, i) => `r1 = *(u32 *)(r6 +${f})\n*(u32 *)(r9 +${4 * i}) = r1`).join("\n");
    const asm = `r6 = r1\nr9 = map_value[out]+0\nr0 = 1\nr1 = *(u32 *)(r6 +0)\nif r1 != 4 goto out\n${copy}\nr7 = *(u64 *)(r6 +192)\nr8 = *(u64 *)(r6 +200)\nr1 = r7\nr1 += 20\nif r1 > r8 goto short\nr1 = *(u32 *)(r7 +0)\n*(u32 *)(r9 +64) = r1\nr1 = *(u16 *)(r7 +12)\n*(u16 *)(r9 +68) = r1\nshort:\nr0 = *(u64 *)(r6 +184)\nif r0 == 0 goto none\n${show(72)}\nnone:\nr0 = 1\nout:\nexit`;
    const tested: Program = { ...program("sock_ops", asm, [OUT]), attach: "cgroup_sock_ops" };
    const [server, client] = [opened(STREAM), system(CALLS.socket, [AF_INET, STREAM, 0])];
    try {
      system(CALLS.bind, [client, address(0), 16]);
      const name = address(0);
      system(CALLS.getsockname, [client, name, bytes32(16)]);
      const own = Buffer.from(name.bytes).readUInt16BE(2);
      const expected = attached(tested, 3, () => {
        system(CALLS.connect, [client, address(server.port), 16]);
      });
      const [LOCALHOST, ESTABLISHED, SYN_ACK] = [0x0100007f, 1, 0x12];
      // The header of a segment with SYN and ACK, with the 20 bytes of options that Linux sends.
      const segment = Buffer.alloc(40);
      segment.writeUInt16BE(server.port, 0);
      segment.writeUInt16BE(own, 2);
      segment.writeUInt16BE((10 << 12) | SYN_ACK, 12);
      const context = Buffer.alloc(224);
      // The other side's port is in network order, in the upper half of its field.
      const remote = segment.readUInt16LE(0) * 2 ** 16;
      const values = [4, AF_INET, LOCALHOST, LOCALHOST, remote, own, 1, ESTABLISHED, 0, SYN_ACK];
      for (const [i, field] of fields.entries()) context.writeUInt32LE(values[i] ?? 0, field);
      const local = { address: Uint8Array.of(127, 0, 0, 1), port: own };
      const socket: Socket = {
        protocol: "tcp",
        state: "established",
        local,
        remote: { ...local, port: server.port },
      };
      const [got] = onMachine(tested, {
        packet: segment,
        context,
        hookSocket: { cookie: 1n, uid: 0, socket },
      });
      expect(got).toBe(expected);
      expect(Buffer.from(expected, "hex").readUInt32LE(20)).toBe(own);
    } finally {
      closeSync(client);
      closeSync(server.fd);
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

describe.skipIf(!kernel.ok || !isX86)("groups of sockets with one port", () => {
  it("show a datagram from its transport header on", () => {
    const fields = [16, 20, 24, 28];
    const copy = fields.map((f, i) => `r1 = *(u32 *)(r6 +${f})\n*(u32 *)(r9 +${4 * i}) = r1`).join("\n");
    const asm = `r6 = r1\nr9 = map_value[out]+0\n${copy}\nr7 = *(u64 *)(r6 +0)\nr8 = *(u64 *)(r6 +8)\nr1 = r7\nr1 += 12\nif r1 > r8 goto out\nr1 = *(u32 *)(r7 +0)\n*(u32 *)(r9 +16) = r1\nr1 = *(u16 *)(r7 +4)\n*(u16 *)(r9 +20) = r1\nr1 = *(u32 *)(r7 +8)\n*(u32 *)(r9 +24) = r1\nr1 = r7\nr1 += 13\nif r1 <= r8 goto out\n*(u32 *)(r9 +28) = 1\nout:\nr0 = 1\nexit`;
    const tested: Program = { ...program("sk_reuseport", asm, [OUT]), attach: "sk_reuseport_select" };
    const [fd, sender] = [system(CALLS.socket, [AF_INET, DATAGRAM, 0]), opened(DATAGRAM)];
    const out = createMap(OUT);
    const loaded = loadProgram(tested, { maps: [out] });
    try {
      if (loaded.verdict === "reject") throw new Error(loaded.log);
      system(CALLS.setsockopt, [fd, SOL_SOCKET, SO_REUSEPORT, bytes32(1), 4]);
      system(CALLS.bind, [fd, address(0), 16]);
      const name = address(0);
      system(CALLS.getsockname, [fd, name, bytes32(16)]);
      const port = Buffer.from(name.bytes).readUInt16BE(2);
      system(CALLS.setsockopt, [fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, bytes32(loaded.fd), 4]);
      system(CALLS.sendto, [sender.fd, bytes32(0x64636261), 4, 0, address(port), 16]);
      const datagram = Buffer.alloc(12);
      datagram.writeUInt16BE(sender.port, 0);
      datagram.writeUInt16BE(port, 2);
      datagram.writeUInt16BE(12, 4);
      datagram.write("abcd", 8, "latin1");
      const context = Buffer.alloc(56);
      // IPv4 in network order, UDP.
      context.writeUInt16BE(0x0800, 20);
      context.writeUInt32LE(17, 24);
      const machine = new Machine(tested);
      const ended = machine.run({ packet: datagram, context });
      if (ended.outcome === "fault") throw new Error(ended.fault.message);
      const expected = Buffer.from(out.lookup(word(0)) ?? []);
      expect(ownOut(machine)).toBe(expected.toString("hex"));
      expect(expected.toString("latin1", 24, 28)).toBe("abcd");
    } finally {
      if (loaded.verdict !== "reject") loaded.close();
      out.close();
      closeSync(fd);
      closeSync(sender.fd);
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
