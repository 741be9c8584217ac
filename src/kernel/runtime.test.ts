/** Lifetimes in the small kernel, each the known story of one kind of reference. */
import { describe, expect, it } from "vitest";
import { type Operation, operationSchema } from "./operation.ts";
import { Runtime } from "./runtime.ts";

const ARRAY = { map_type: 2, key_size: 4, value_size: 4, max_entries: 1 };
const PROGRAM_ARRAY = { ...ARRAY, map_type: 3 };
const LICENSE = { text: "GPL" };

/** `r0 = 0; exit` after loads of the maps with these descriptors. */
function insns(...maps: readonly number[]): { insns: { hex: string }; insn_cnt: number } {
  const bytes = Buffer.alloc(16 * maps.length + 16);
  for (const [at, fd] of maps.entries()) {
    bytes.set([0x18, 0x11], 16 * at);
    bytes.writeInt32LE(fd, 16 * at + 4);
  }
  bytes.set([0xb7], bytes.length - 16);
  bytes.set([0x95], bytes.length - 8);
  return { insns: { hex: bytes.toString("hex") }, insn_cnt: bytes.length / 8 };
}

const word = (value: number): { hex: string } => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return { hex: bytes.toString("hex") };
};

type Command = Extract<Operation, { do: "bpf" }>["command"];

/** A runtime, spoken to in lines of a trace. */
function traced() {
  const runtime = new Runtime();
  const act = (line: object): number => runtime.do(operationSchema.parse(line)).result;
  return {
    act,
    bpf: (process: number, command: Command, attr: object): number =>
      act({ process, do: "bpf", command, attr }),
    alive: () => {
      const { map, program } = runtime.observe().alive;
      return { map, program };
    },
  };
}

describe("the runtime", () => {
  it("a program that holds an array that holds the program goes with the array's last user", () => {
    const { act, bpf, alive } = traced();
    const array = bpf(1, "map_create", PROGRAM_ARRAY);
    const program = bpf(1, "prog_load", { prog_type: 1, license: LICENSE, ...insns(array) });
    expect(bpf(1, "map_update_elem", { map_fd: array, key: word(0), value: word(program) })).toBe(0);
    act({ process: 1, do: "close", fd: program });
    expect(alive()).toEqual({ map: [1], program: [1] });
    act({ process: 1, do: "close", fd: array });
    expect(alive()).toEqual({ map: [], program: [] });
  });

  it("a pin keeps a map after its process, and a descriptor after the pin", () => {
    const { act, bpf, alive } = traced();
    const map = bpf(1, "map_create", ARRAY);
    expect(bpf(1, "obj_pin", { pathname: { text: "/m" }, bpf_fd: map })).toBe(0);
    const other = act({ process: 1, do: "fork" });
    act({ process: 1, do: "exit" });
    act({ process: other, do: "close", fd: map });
    expect(alive().map).toEqual([1]);
    const fd = bpf(other, "obj_get", { pathname: { text: "/m" } });
    expect(act({ process: other, do: "unlink", path: "/m" })).toBe(0);
    expect(alive().map).toEqual([1]);
    act({ process: other, do: "close", fd });
    expect(alive().map).toEqual([]);
  });

  it("a descriptor is the lowest that is free", () => {
    const { act, bpf } = traced();
    expect([0, 1, 2].map(() => bpf(1, "map_create", ARRAY))).toEqual([0, 1, 2]);
    act({ process: 1, do: "close", fd: 1 });
    expect(act({ process: 1, do: "dup", fd: 2 })).toBe(1);
  });
});
