/** Who keeps what, told by names: what has no id keeps the name that it was given first. */
import { describe, expect, it } from "vitest";
import { chainTo } from "./keepers.ts";
import type { Operation } from "./operation.ts";
import { Runtime } from "./runtime.ts";

function after(...operations: readonly Operation[]): Runtime {
  const runtime = new Runtime();
  for (const operation of operations) expect(runtime.do(operation).result).toBeGreaterThanOrEqual(0);
  return runtime;
}

const load = (process: number, type: number): Operation => ({
  process,
  do: "bpf",
  command: "prog_load",
  attr: {
    prog_type: type,
    insn_cnt: 2,
    insns: { hex: "b7000000000000009500000000000000" },
    license: { text: "GPL" },
  },
});

const [XDP, CGROUP_SKB] = [6, 8];

const why = (runtime: Runtime, thing: string): string =>
  (chainTo(runtime.keepers(), thing) ?? []).map(({ keeper, how }) => `${keeper} --${how}-->`).join(" ");

describe("keepers", () => {
  it("sockets keep their names when others go", () => {
    const runtime = after({ process: 1, do: "socketpair" }, { process: 1, do: "socketpair" });
    const names = (): readonly string[] =>
      runtime.keepers().flatMap(({ kept, how }) => (how.startsWith("fd ") ? [`${how}: ${kept}`] : []));
    expect(names()).toEqual(["fd 0: socket 1", "fd 1: socket 2", "fd 2: socket 3", "fd 3: socket 4"]);
    runtime.do({ process: 1, do: "close", fd: 0 });
    expect(names()).toEqual(["fd 1: socket 2", "fd 2: socket 3", "fd 3: socket 4"]);
  });

  it("a program at a device, by the namespace that a socket keeps", () => {
    const runtime = after(
      { process: 1, do: "fork" },
      { process: 2, do: "unshare_net" },
      { process: 2, do: "veth_create", first: { name: "one", index: 2 }, second: { name: "two", index: 3 } },
      load(2, XDP),
      { process: 2, do: "xdp_set", index: 2, fd: 0, flags: 0 },
      { process: 2, do: "close", fd: 0 },
    );
    const device = "device one of network 2";
    expect(why(runtime, "program 1")).toBe(`process 2 --in--> network 2 --has--> ${device} --xdp-->`);
    for (const name of ["socket", "unshare_net"] as const) runtime.do({ process: 2, do: name });
    expect(why(runtime, "program 1")).toBe(
      `process 2 --fd 0--> socket 1 --made in--> network 2 --has--> ${device} --xdp-->`,
    );
  });

  it("a program of a cgroup, until its directory goes", () => {
    const runtime = after(
      { process: 1, do: "cgroup_create", path: "a" },
      { process: 1, do: "cgroup_open", path: "a" },
      load(1, CGROUP_SKB),
      {
        process: 1,
        do: "bpf",
        command: "prog_attach",
        attr: { target_fd: 0, attach_bpf_fd: 1, attach_type: 0 },
      },
      { process: 1, do: "close", fd: 1 },
    );
    expect(why(runtime, "program 1")).toBe("cgroup /a --runs-->");
    runtime.do({ process: 1, do: "cgroup_remove", path: "a" });
    expect(chainTo(runtime.keepers(), "program 1")).toBeUndefined();
  });
});
