/**
 * The kernel around drawn runs, for programs that follow its pointers: a piece of its memory, objects in it, addresses of its variables. All of it is a function of the seed and the program, so that a
 * run can be repeated.
 *
 * Of the memory no types are known. Each of its words is the address of some other place in it, so that a pointer that is loaded from anywhere leads somewhere, and what is read as a number is a number like any other.
 */
import { contextFor, programFacts } from "../semantics/profile/lookup.ts";
import type { Context } from "../semantics/profile/profile.ts";
import type { Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import { TRACES_FUNCTION } from "../vm/contexts/traced-function.ts";
import type { MemoryRange, ObjectInMemory } from "../vm/environment/tracing.ts";
import type { Environment } from "../vm/environment.ts";

/** Where the memory is: the running task's structure too, if nothing else is said. */
const AT = 0xffff_8881_0000_0000n;
const BYTES = 0x1_0000;
/** Pointers lead to the first quarter, so that no structure ends behind the memory. */
const TARGETS = 0x4000;
const VARIANTS = 4;

/** Where objects are that programs may store into, by structure; `sock` is the beginning of a `tcp_sock`. */
const OBJECTS: Readonly<Record<string, bigint>> = {
  tcp_sock: AT + 0x4000n,
  sock: AT + 0x4000n,
  bpf_dummy_ops_state: AT + 0x6000n,
};

/** What iterators are lent to store into. */
const BUFFER = "buffer";
const BUFFER_OBJECT: ObjectInMemory = {
  address: AT + 0x5000n,
  layout: {
    struct: BUFFER,
    size: 0x1000,
    anyAlignment: true,
    fields: [{ name: BUFFER, offset: 0, size: 0x1000, value: "scalar", reads: [], writes: [1, 2, 4, 8] }],
  },
};

/** The variables of processors, and the functions, begin here. */
const VARIABLES_AT = 0x7000n;
const APART = 0x100n;
const PROCESSOR_OFFSETS = [0n, 0x1000n];

function memory(variant: number): MemoryRange {
  const words = new BigUint64Array(BYTES / 8);
  for (const index of words.keys()) {
    const mixed = Math.imul(index + variant * words.length + 1, 0x9e3779b1) >>> 8;
    words[index] = AT + BigInt((mixed % (TARGETS / 8)) * 8);
  }
  return { address: AT, bytes: new Uint8Array(words.buffer) };
}

const MEMORIES: readonly (readonly MemoryRange[])[] = Array.from({ length: VARIANTS }, (_, variant) => [
  memory(variant),
]);

/** The memory of a run, by its seed. */
export const memoryAround = (seed: number): readonly MemoryRange[] => MEMORIES[(seed >>> 5) % VARIANTS] ?? [];

/** What else of the environment of a drawn run is the kernel's: the same in all runs of a program. */
export type KernelAround = Required<
  Pick<Environment, "objects" | "contextAddress" | "variables" | "processorOffsets" | "mapAddresses">
>;

let last: { readonly program: Program; readonly rules: Rules; readonly around: KernelAround } | undefined;

export function kernelAround(program: Program, rules: Rules): KernelAround {
  if (last?.program !== program || last.rules !== rules)
    last = { program, rules, around: makeAround(program, rules) };
  return last.around;
}

function makeAround(program: Program, rules: Rules): KernelAround {
  const { ksyms = [], maps } = program;
  const names = ksyms.length === 0 ? [] : [...new Set(ksyms.map(({ name }) => name))];
  return {
    objects: storedObjects(program, rules),
    contextAddress: AT + 0x2000n,
    variables: names.map((name, index) => ({ name, address: AT + VARIABLES_AT + APART * BigInt(index) })),
    processorOffsets: PROCESSOR_OFFSETS,
    mapAddresses: Object.fromEntries(maps.map(({ name }) => [name, AT])),
  };
}

/** Objects that the program may store into. */
function storedObjects(program: Program, rules: Rules): readonly ObjectInMemory[] {
  const { profile } = rules;
  if (program.type !== "struct_ops")
    return kernelContext(program, rules)?.pointers.some(({ struct }) => struct === BUFFER) === true
      ? [BUFFER_OBJECT]
      : [];
  return Object.entries(programFacts(profile, program)?.writes ?? {}).flatMap(([struct, name]) => {
    const [address, layout] = [OBJECTS[struct], profile.contexts[name]];
    return address === undefined || layout === undefined ? [] : [{ address, layout }];
  });
}

/** A word of a context that has to be the address of an object. */
interface PointerWord {
  readonly offset: number;
  /** The object's structure, if it is one that matters. */
  readonly struct: string | undefined;
  readonly mayBeNull: boolean;
}

/** The context of programs that are given the kernel's pointers. */
export interface KernelContext {
  /** Bytes. */
  readonly size: number;
  readonly pointers: readonly PointerWord[];
  /** What the program before returned, an int in these bounds. */
  readonly result?: { readonly offset: number; readonly range: readonly [number, number] };
}

/** The arguments of what a program traces, or the context that its kind has; nothing if they are not known, or if no pointer of the kernel's is among them. */
export function kernelContext(program: Program, { profile, types }: Rules): KernelContext | undefined {
  if (TRACES_FUNCTION.has(program.type)) {
    const args = types?.argumentsOf(program);
    if (args === undefined) return undefined;
    const facts = program.attach === undefined ? undefined : profile.targets?.[program.attach];
    const special = facts?.others[program.target ?? ""];
    const range = program.attach === "lsm_mac" ? programFacts(profile, program)?.returns : undefined;
    const result =
      args.result === undefined || range === undefined ? {} : { result: { offset: 8 * args.result, range } };
    return {
      ...result,
      size: 8 * args.values.length,
      pointers: args.values.flatMap((value, index) => {
        const known = special?.[index] ?? facts?.usual;
        const { flags, value: kind } = known ?? {};
        const mayBeNull = flags?.includes("ptr_maybe_null") === true;
        if (kind === "buffer")
          return [
            {
              offset: 8 * index,
              struct: flags?.includes("mem_rdonly") === true ? undefined : BUFFER,
              mayBeNull,
            },
          ];
        if (typeof value === "string" || value.kind === "scalar") return [];
        return [{ offset: 8 * index, struct: types?.structName(value.struct), mayBeNull }];
      }),
    };
  }
  const layout = contextFor(profile, program);
  return layout === undefined ? undefined : contextOf(layout);
}

/** What contexts are, by their layouts: the same for all programs that are given one. */
const CONTEXTS = new WeakMap<Context, { readonly is: KernelContext | undefined }>();

function contextOf(layout: Context): KernelContext | undefined {
  let known = CONTEXTS.get(layout);
  if (known === undefined) {
    const pointers = layout.fields.flatMap(({ offset, value, type, flags }) =>
      value === "btf_id"
        ? [{ offset, struct: type, mayBeNull: flags?.includes("ptr_maybe_null") === true }]
        : [],
    );
    known = { is: pointers.length === 0 ? undefined : { size: layout.size, pointers } };
    CONTEXTS.set(layout, known);
  }
  return known.is;
}

/** A context with an address wherever there has to be one: which, the bytes there decide. */
export function withPointers(bytes: Uint8Array, { size, pointers, result }: KernelContext): Uint8Array {
  const whole = new Uint8Array(size);
  whole.set(bytes.subarray(0, size));
  const view = new DataView(whole.buffer);
  for (const { offset, struct = "", mayBeNull } of pointers) {
    const drawn = view.getBigUint64(offset, true);
    if (mayBeNull && drawn % 3n === 0n) {
      view.setBigUint64(offset, 0n, true);
      continue;
    }
    const own = struct === BUFFER ? BUFFER_OBJECT.address : OBJECTS[struct];
    view.setBigUint64(offset, own ?? AT + ((drawn % BigInt(TARGETS)) & ~7n), true);
  }
  if (result !== undefined) {
    const [least, greatest] = result.range;
    view.setInt32(
      result.offset,
      least + (view.getUint32(result.offset, true) % (greatest - least + 1)),
      true,
    );
  }
  return whole;
}
