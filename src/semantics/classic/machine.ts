/**
 * The classic machine: runs filters that the checker has passed, on packets or on the data of a system call. Such a filter cannot fault and always ends.
 */
import { Unsupported } from "../errors.ts";
import { attributeOffset } from "./attributes.ts";
import { type ClassicUse, checkFilter } from "./check.ts";
import { type Extension, extensionOf } from "./extensions.ts";
import { lengthOf, type PacketFacts, type PacketInput, packetIndex } from "./input.ts";
import { type ClassicInstruction, type Filter, type LoadSize, SCRATCH_WORDS } from "./instruction.ts";
import { payloadOffset } from "./payload-offset.ts";
import { AT, classicProcessor, type Effect } from "./processor.ts";
import { SECCOMP_DATA_SIZE } from "./seccomp.ts";
import { classicRow } from "./table.ts";

/** What the machine does for an instruction, beside the terms. */
type Step =
  | { readonly do: "set"; readonly effect: Effect; readonly k: number; readonly scratch: boolean }
  | {
      readonly do: "packet";
      readonly effect: Effect;
      readonly address: Effect;
      readonly k: number;
      readonly size: LoadSize;
    }
  | { readonly do: "data"; readonly effect: Effect; readonly k: number }
  | { readonly do: "extension"; readonly effect: Effect; readonly extension: Extension }
  | { readonly do: "store"; readonly effect: Effect; readonly k: number }
  | {
      readonly do: "jump";
      readonly effect: Effect;
      readonly k: number;
      readonly jt: number;
      readonly jf: number;
    }
  | { readonly do: "goto"; readonly target: number }
  | { readonly do: "return"; readonly effect: Effect; readonly k: number };

function effectOf(name: string): Effect {
  const found = classicProcessor().effects.get(name);
  if (found === undefined) throw new Error(`no effect is called ${name}`);
  return found;
}

function prepare(insn: ClassicInstruction, pc: number, use: ClassicUse): Step {
  const { code, k } = insn;
  const row = classicRow(code);
  if (row === undefined) throw new Error(`code ${code} passed the checker`);
  const extension = use === "socket" ? extensionOf(insn) : undefined;
  if (extension !== undefined) return { do: "extension", effect: effectOf(extension.name), extension };
  if (use === "seccomp" && row.operation.kind === "packet")
    return { do: "data", effect: effectOf("seccomp"), k };
  const { kind } = row.operation;
  if (kind === "goto") return { do: "goto", target: pc + 1 + k };
  const effect = effectOf(row.name);
  switch (kind) {
    case "set":
      return { do: "set", effect, k, scratch: row.k === "scratch" };
    case "packet":
      return { do: "packet", effect, address: effectOf(`${row.name}/address`), k, size: row.operation.size };
    case "jump":
      return { do: "jump", effect, k, jt: pc + 1 + insn.jt, jf: pc + 1 + insn.jf };
    default:
      return { do: kind, effect, k };
  }
}

/** As the generator of the eBPF machine (splitmix32): equal seeds give equal numbers. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    const a = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    const b = Math.imul(a ^ (a >>> 15), 0x735a2d97);
    return (b ^ (b >>> 15)) >>> 0;
  };
}

/** A number that the packet is known by; `undefined` where there is no device to ask, which ends the filter. */
function fact(name: Extension["name"], facts: PacketFacts): number | undefined {
  switch (name) {
    case "ifindex":
      return (facts.ifindex ?? 0) === 0 ? undefined : facts.ifindex;
    case "hatype":
      return (facts.ifindex ?? 0) === 0 ? undefined : (facts.hatype ?? 0);
    case "vlan_tag":
      return facts.vlan?.tci ?? 0;
    case "vlan_tag_present":
      return facts.vlan === undefined ? 0 : 1;
    case "vlan_tpid":
      return facts.vlan?.tpid ?? 0;
    case "alu_xor_x":
      return 0;
    case "nlattr":
    case "nlattr_nest":
    case "pay_offset":
    case "random":
      throw new Error(`${name} is computed, not known`);
    default:
      return facts[name] ?? 0;
  }
}

/** A filter that the checker has passed, ready to run. */
export class ClassicMachine {
  readonly #steps: readonly Step[];
  readonly #use: ClassicUse;

  /** A filter that the checker refuses is the caller's mistake: an assertion. */
  constructor(filter: Filter, use: ClassicUse = "socket") {
    const refusal = checkFilter(filter, use);
    if (refusal !== undefined) throw new Error(`the checker refuses the filter: ${refusal.message}`);
    this.#steps = filter.map((insn, pc) => prepare(insn, pc, use));
    this.#use = use;
  }

  /**
   * The filter's result for a packet: how many of its bytes to keep, 0 to drop it. Unsigned, 32 bits.
   *
   * @throws Unsupported  where the filter asks for the payload's offset of a packet whose headers are not modelled
   */
  run(input: PacketInput): number {
    if (this.#use !== "socket") throw new Error("a filter of system calls is run on their data");
    const { words } = classicProcessor();
    words.fill(0);
    words[AT.length] = lengthOf(input);
    return this.#execute(words, input);
  }

  /** The filter's result for a system call, unsigned. @param data `struct seccomp_data`, as `seccompData` makes it */
  runOnCall(data: Uint8Array): number {
    if (this.#use !== "seccomp") throw new Error("a filter of packets is run on packets");
    if (data.length !== SECCOMP_DATA_SIZE) throw new Error(`${data.length} bytes are no struct seccomp_data`);
    const { words } = classicProcessor();
    words.fill(0);
    words[AT.length] = SECCOMP_DATA_SIZE;
    return this.#execute(words, { bytes: data });
  }

  #execute(words: Int32Array, input: PacketInput): number {
    const view = new DataView(input.bytes.buffer, input.bytes.byteOffset, input.bytes.byteLength);
    let random: (() => number) | undefined;
    for (let pc = 0; ; ) {
      const step = this.#steps[pc];
      if (step === undefined) throw new Error(`no instruction ${pc}`);
      pc += 1;
      switch (step.do) {
        case "set":
          words[AT.k] = step.k;
          if (step.scratch) words[AT.word] = words[AT.scratch + step.k] ?? 0;
          if (step.effect(0) === 1) return 0;
          break;
        case "packet": {
          words[AT.k] = step.k;
          const at = packetIndex(input, step.address(0), step.size);
          if (at === undefined) return 0;
          words[AT.loaded] = readNumber(view, at, step.size);
          step.effect(0);
          break;
        }
        case "data":
          words[AT.loaded] = view.getInt32(step.k, true);
          step.effect(0);
          break;
        case "extension": {
          const { name } = step.extension;
          if (name === "random") random ??= randomNumbers(input.seed ?? 0);
          const value = name === "random" ? random?.() : extensionValue(name, words, input);
          if (value === undefined) return (words[AT.a] ?? 0) >>> 0;
          words[AT.field] = value;
          step.effect(0);
          break;
        }
        case "store":
          step.effect(0);
          words[AT.scratch + (step.k % SCRATCH_WORDS)] = words[AT.stored] ?? 0;
          break;
        case "jump":
          words[AT.k] = step.k;
          pc = step.effect(0) === 0 ? step.jf : step.jt;
          break;
        case "goto":
          pc = step.target;
          break;
        case "return":
          words[AT.k] = step.k;
          return step.effect(0) >>> 0;
        default:
          step satisfies never;
      }
    }
  }
}

/** Little-endian: the terms turn it round. */
function readNumber(view: DataView, at: number, size: LoadSize): number {
  if (size === 1) return view.getUint8(at);
  return size === 2 ? view.getUint16(at, true) : view.getInt32(at, true);
}

function extensionValue(name: Extension["name"], words: Int32Array, input: PacketInput): number | undefined {
  switch (name) {
    case "nlattr":
    case "nlattr_nest": {
      const [a, x] = [(words[AT.a] ?? 0) >>> 0, (words[AT.x] ?? 0) >>> 0];
      return attributeOffset(input.bytes.subarray(input.data ?? 0), a, x, name === "nlattr_nest");
    }
    case "pay_offset": {
      const offset = payloadOffset(input);
      if (offset === undefined)
        throw new Unsupported("the payload's offset of a packet of this protocol (poff)");
      return offset;
    }
    default:
      return fact(name, input);
  }
}
