/** The state-machine model: drawn sequences of operations on the runtime, which counts references, and on the model, which asks what can be reached. */

import { PLACES } from "../../../kernel/model/actions.ts";
import { Model } from "../../../kernel/model/model.ts";
import type { Operation } from "../../../kernel/operation.ts";
import { Runtime } from "../../../kernel/runtime.ts";
import { Unsupported } from "../../../semantics/errors.ts";
import { generator, type Random } from "../../random.ts";
import type { Instrument } from "./instrument.ts";

const LENGTH = 60;
/** Few of everything, so that operations meet. */
const [PROCESSES, DESCRIPTORS, IDS] = [3, 6, 5];
const PATHS = ["/one", "/two"] as const;
const XDP = 6;
const BPF_MAP_TYPE_PROG_ARRAY = 3;

type Attribute = Extract<Operation, { readonly do: "bpf" }>["attr"];
type Command = Extract<Operation, { readonly do: "bpf" }>["command"];

const hexOf = (bytes: Uint8Array): { hex: string } => ({ hex: Buffer.from(bytes).toString("hex") });

function word(value: number): { hex: string } {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return hexOf(bytes);
}

/** Instructions that load the maps with these descriptors; then `r0 = 0; exit`. */
function instructions(maps: readonly number[]): Buffer {
  const bytes = Buffer.alloc(16 * maps.length + 16);
  for (const [at, fd] of maps.entries()) {
    bytes.set([0x18, 0x11], 16 * at);
    bytes.writeInt32LE(fd, 16 * at + 4);
  }
  bytes.set([0xb7], bytes.length - 16);
  bytes.set([0x95], bytes.length - 8);
  return bytes;
}

/** What can be named at some place of a sequence: the descriptors of each process by what they stand for. */
type Named = (process: number, kind: "array" | "program" | "any") => readonly number[];

function drawn(random: Random, named: Named): Operation {
  const process = 1 + random.below(PROCESSES);
  // Mostly one that fits, so that operations meet; at times any.
  const descriptor = (kind: "array" | "program" | "any"): number => {
    const fitting = named(process, kind);
    const any = random.below(DESCRIPTORS);
    return random.below(4) === 0 ? any : (fitting[random.below(fitting.length)] ?? any);
  };
  const fd = descriptor("any");
  const other = descriptor("any");
  const index = random.below(PLACES);
  const path = PATHS[random.below(PATHS.length)] ?? "/one";
  const bpf = (command: Command, attr: Attribute): Operation => ({ process, do: "bpf", command, attr });
  switch (random.below(17)) {
    case 0:
    case 1:
      return bpf("map_create", {
        map_type: 2 + random.below(2),
        key_size: 4,
        value_size: 4,
        max_entries: PLACES,
      });
    case 2:
    case 3: {
      const insns = instructions([fd, other].slice(random.below(3)));
      const attr = {
        prog_type: XDP,
        insn_cnt: insns.length / 8,
        insns: hexOf(insns),
        license: { text: "GPL" },
      };
      return bpf("prog_load", attr);
    }
    case 4:
    case 5:
    case 6:
      return { process, do: "close", fd };
    case 7:
      return { process, do: "dup", fd };
    case 8:
    case 9: {
      const [array, program] = [descriptor("array"), descriptor("program")];
      return bpf("map_update_elem", { map_fd: array, key: word(index), value: word(program) });
    }
    case 15:
      return bpf("map_delete_elem", { map_fd: descriptor("array"), key: word(index) });
    case 10:
      return bpf("obj_pin", { pathname: { text: path }, bpf_fd: fd });
    case 11:
      return bpf("obj_get", { pathname: { text: path } });
    case 12:
      return { process, do: "unlink", path };
    case 13:
      return bpf(random.below(2) === 0 ? "map_get_fd_by_id" : "prog_get_fd_by_id", {
        id: 1 + random.below(IDS),
      });
    default:
      return { process, do: random.below(2) === 0 ? "fork" : "exit" };
  }
}

/** Operations that the model knows. */
function sequence(random: Random): readonly Operation[] {
  const state = new Model();
  const arrays = new Set<number>();
  const named: Named = (process, kind) =>
    (state.observe().processes.get(process) ?? []).flatMap(({ fd, kind: found, id }) => {
      const fits =
        kind === "any" || (kind === "program" ? found === "program" : found === "map" && arrays.has(id));
      return fits ? [fd] : [];
    });
  const operations: Operation[] = [];
  while (operations.length < LENGTH) {
    const operation = drawn(random, named);
    const { result } = state.do(operation);
    const isArray = operation.do === "bpf" && operation.attr["map_type"] === BPF_MAP_TYPE_PROG_ARRAY;
    if (isArray && result >= 0) arrays.add(Math.max(...state.observe().alive.map));
    operations.push(operation);
  }
  return operations;
}

/** What the two do not agree in after these operations; undefined if they do. */
function difference(operations: readonly Operation[]): string | undefined {
  const [model, runtime] = [new Model(), new Runtime()];
  for (const operation of operations) {
    try {
      const [told, done] = [model.do(operation).result, runtime.do(operation).result];
      if (told !== done) return `the result is ${done}, not ${told}`;
    } catch (error) {
      if (error instanceof Unsupported) return undefined;
      throw error;
    }
    const [said, seen] = [model.observe(), runtime.observe()];
    for (const kind of ["map", "program"] as const) {
      const [expected, alive] = [said.alive[kind].join(", "), seen.alive[kind].join(", ")];
      if (expected !== alive) return `alive are the ${kind}s [${alive}], not [${expected}]`;
    }
    const [flaw] = runtime.audit();
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

/** As few of the operations as show a difference. */
function reduced(operations: readonly Operation[]): readonly Operation[] {
  let kept = operations;
  for (let at = kept.length - 1; at >= 0; at -= 1) {
    const fewer = kept.filter((_, index) => index !== at);
    if (difference(fewer) !== undefined) kept = fewer;
  }
  return kept;
}

function text(operation: Operation): string {
  if (operation.do !== "bpf") return JSON.stringify(operation);
  const { process, command, attr } = operation;
  return `${JSON.stringify({ process, command })} ${JSON.stringify(attr)}`;
}

export const model: Instrument = {
  run({ seed, isOver }) {
    const random = generator(seed);
    let tried = 0;
    while (!isOver()) {
      const operations = sequence(random);
      tried += 1;
      if (difference(operations) === undefined) continue;
      const few = reduced(operations);
      return { tried, evidence: difference(few) ?? "", steps: few.map(text) };
    }
    return { tried };
  },
};
