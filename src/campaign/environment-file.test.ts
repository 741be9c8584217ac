import { describe, expect, it } from "vitest";
import { readEnvironment } from "./environment-file.ts";

const read = (value: object): ReturnType<typeof readEnvironment> => readEnvironment(JSON.stringify(value));

describe("environment files", () => {
  it("numbers of 64 bits, bytes, tasks", () => {
    const given = read({
      cpus: 4,
      cpu: 2,
      clock_ns: "0xffffffffffffffff",
      packet: "00 01",
      task: { pid: 7, comm: "curl" },
      memory: [{ address: "18446612682070000000", bytes: "ff", read_only: true }],
      tracepoint_record: "03ff",
      kernel_stack: [1, "0x2"],
      attachment: { cookie: 5 },
    });
    expect(given).toEqual({
      cpus: 4,
      environment: {
        cpu: 2,
        clockNs: 2n ** 64n - 1n,
        packet: Uint8Array.of(0, 1),
        task: { pid: 7, comm: "curl" },
        memory: [{ address: 18446612682070000000n, bytes: Uint8Array.of(255), readOnly: true }],
        tracepointRecord: Uint8Array.of(3, 255),
        kernelStack: [1n, 2n],
        attachment: { cookie: 5n },
      },
    });
  });

  it("devices, routes, neighbours", () => {
    const link = "02:00:00:00:00:03";
    const { environment } = read({
      network: {
        devices: [{ ifindex: 3, name: "eth0", mtu: 1500, address: link, up: false }],
        routes: [
          { to: "10.0.0.0/8", ifindex: 3, gateway: "fe80::1" },
          { to: "::ffff:1.2.3.4/128", ifindex: 0, type: "blackhole" },
        ],
        neighbours: [{ ifindex: 3, address: "10.0.0.1", link_address: link }],
      },
    });
    const address = Uint8Array.of(2, 0, 0, 0, 0, 3);
    expect(environment.network).toEqual({
      devices: [{ ifindex: 3, name: "eth0", mtu: 1500, address, up: false }],
      routes: [
        {
          destination: Uint8Array.of(10, 0, 0, 0),
          prefix: 8,
          ifindex: 3,
          gateway: Uint8Array.of(0xfe, 0x80, ...new Uint8Array(13), 1),
        },
        {
          destination: Uint8Array.of(...new Uint8Array(10), 255, 255, 1, 2, 3, 4),
          prefix: 128,
          ifindex: 0,
          type: "blackhole",
        },
      ],
      neighbours: [{ ifindex: 3, address: Uint8Array.of(10, 0, 0, 1), linkAddress: address }],
    });
  });

  it("sockets", () => {
    const local = { address: "10.0.0.1", port: 80 };
    const { environment } = read({
      network: {
        sockets: [
          { protocol: "tcp", state: "listen", local, ipv6_only: false, tcp: { snd_cwnd: 10 } },
          {
            protocol: "udp",
            state: "established",
            local,
            remote: { address: "10.0.0.2", port: 5 },
            bound_to: 3,
          },
        ],
      },
    });
    const address = Uint8Array.of(10, 0, 0, 1);
    expect(environment.network?.sockets).toEqual([
      {
        protocol: "tcp",
        state: "listen",
        local: { address, port: 80 },
        ipv6Only: false,
        tcp: { snd_cwnd: 10n },
      },
      {
        protocol: "udp",
        state: "established",
        local: { address, port: 80 },
        remote: { address: Uint8Array.of(10, 0, 0, 2), port: 5 },
        boundTo: 3,
      },
    ]);
  });

  it("says nothing of what is left out", () => {
    expect(read({})).toEqual({ cpus: undefined, environment: {} });
  });

  it.each([
    [{ colour: 1 }, "colour: unknown key"],
    [{ task: { pid: -1 } }, "task.pid: Too small: expected number to be >=0"],
    [{ task: { comm: "sixteen letters!" } }, "task.comm: more than 15 bytes"],
    [{ memory: [{ address: 0, bytes: "0" }] }, "memory[0].bytes: 1 hex digits are not whole bytes"],
    [{ clock_ns: "soon" }, 'clock_ns: "soon" is not a number'],
    [{ clock_ns: "18446744073709551616" }, "clock_ns: more than 64 bits"],
    [{ kernel_stack: [null] }, "kernel_stack[0]: not a number"],
    [{ network: { routes: [{ to: "10.0.0.0/33", ifindex: 1 }] } }, "network.routes[0].to: "],
    [{ network: { routes: [{ to: "1::/8", ifindex: 1, gateway: "1.2.3" }] } }, 'gateway: "1.2.3" is no IP'],
    [{ network: { sockets: [{ protocol: "tcp", state: "open" }] } }, "network.sockets[0].state: "],
    [{ cpus: 0 }, "cpus: Too small: expected number to be >=1"],
  ])("%j", (value, message) => {
    expect(() => read(value)).toThrow(message);
  });

  it("a syntax error has its line", () => {
    expect(() => readEnvironment('{\n"cpu" 1}')).toThrow("line 2, column 7");
  });
});
