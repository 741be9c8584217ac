/**
 * Reads registers and stack slots as the Linux verifier's log prints them (Linux 6.8 and later): `scalar(id=1,smin=umin=1,var_off=(0x0; 0xff))`,
 * `-5`, `fp-8`, `pkt(off=14,r=14)`, `mmmm????`. Registers also as earlier kernels print them, back to 5.10: `inv(id=0,umax_value=255,var_off=(0x0; 0xff))`, where a bound that is
 * left out may also be equal to another one, so that the kernel may know more than is read here.
 *
 * A bound that is left out is the end of its type. Ends that are equal share a number (`smin=umin=1`). Numbers of 16 bits are decimal, others
 * hexadecimal: 64 bits, or 32 for the bounds of the lower half. A register whose bits are all known is printed as a bare number, whatever its
 * bounds; a pointer without bounds has no variable part.
 */

/** What the log says of a number of 64 bits; signed bounds are signed. */
export interface LogBounds {
  /** Known bits, and which are unknown: `var_off=(value; mask)`. */
  readonly value: bigint;
  readonly mask: bigint;
  readonly umin: bigint;
  readonly umax: bigint;
  readonly smin: bigint;
  readonly smax: bigint;
  /** Of the lower half. */
  readonly umin32: bigint;
  readonly umax32: bigint;
  readonly smin32: bigint;
  readonly smax32: bigint;
}

export interface LogScalar {
  readonly kind: "scalar";
  readonly bounds: LogBounds;
  /** Registers with one id differ by constants; 0 for none. */
  readonly id: number;
  /** How far it is from the number that the id stands for: `id=1+7`. */
  readonly delta: number;
  /** Marked as deciding something (`P`). */
  readonly precise: boolean;
}

export interface LogPointer {
  readonly kind: "pointer";
  /** `ctx`, `fp`, `pkt`, `map_value_or_null`, `ptr_task_struct`, … */
  readonly type: string;
  /** Constant offset. */
  readonly off: number;
  /** The variable offset. */
  readonly bounds: LogBounds;
  readonly id: number;
  /** Bytes of a packet that are known to be there (`r`); negative for a pointer at or past its end; 0 for other pointers. */
  readonly range: number;
  /** The frame of a stack pointer, if it is another than the one printed (`fp[0]-8`). */
  readonly frame?: number;
  /** Everything else: `map`, `ks`, `vs`, `sz`, `ref_obj_id`, … */
  readonly fields: ReadonlyMap<string, string>;
}

export type LogRegister = LogScalar | LogPointer;

/** Eight bytes of stack. */
export interface LogSlot {
  /**
   * The bytes that are not part of `spilled`, from the highest address down: `?` unknown to the verifier, `m` some data, `0` zero; letters for
   * objects of the kernel. Eight of them if nothing is spilled.
   */
  readonly bytes: string;
  readonly spilled?: LogRegister;
}

const U64_MAX = 2n ** 64n - 1n;

/** Nothing known. */
export const NO_BOUNDS: LogBounds = {
  value: 0n,
  mask: U64_MAX,
  umin: 0n,
  umax: U64_MAX,
  smin: -(2n ** 63n),
  smax: 2n ** 63n - 1n,
  umin32: 0n,
  umax32: 2n ** 32n - 1n,
  smin32: -(2n ** 31n),
  smax32: 2n ** 31n - 1n,
};

/** The bounds of the number that is `x` modulo 2^64. */
export function constantBounds(x: bigint): LogBounds {
  const [unsigned, signed] = [BigInt.asUintN(64, x), BigInt.asIntN(64, x)];
  const [unsigned32, signed32] = [BigInt.asUintN(32, x), BigInt.asIntN(32, x)];
  return {
    value: unsigned,
    mask: 0n,
    umin: unsigned,
    umax: unsigned,
    smin: signed,
    smax: signed,
    umin32: unsigned32,
    umax32: unsigned32,
    smin32: signed32,
    smax32: signed32,
  };
}

/** A bound's number as its type has it. */
const AS_BOUND = {
  umin: (x: bigint) => BigInt.asUintN(64, x),
  umax: (x: bigint) => BigInt.asUintN(64, x),
  smin: (x: bigint) => BigInt.asIntN(64, x),
  smax: (x: bigint) => BigInt.asIntN(64, x),
  umin32: (x: bigint) => BigInt.asUintN(32, x),
  umax32: (x: bigint) => BigInt.asUintN(32, x),
  smin32: (x: bigint) => BigInt.asIntN(32, x),
  smax32: (x: bigint) => BigInt.asIntN(32, x),
} as const;

/** What earlier kernels call bounds: `umax_value`, `s32_min_value`, `u32_max`. */
const EARLIER = /^([us])(32)?_?(min|max)(?:_value)?$/;
const boundName = (name: string): string => name.replace(EARLIER, "$1$3$2");

const isBound = (name: string): name is keyof typeof AS_BOUND => Object.hasOwn(AS_BOUND, name);

const NUMBER = /^(?:0x[0-9a-f]+|-?(?:0|[1-9]\d*))$/;
const VAR_OFF = /^\((0x[0-9a-f]+); (0x[0-9a-f]+)\)$/;
const STACK = /^fp(?:\[(\d+)\])?(-?\d+)?(?:\((.*)\))?$/;
const TYPED = /^([A-Za-z_]\w*)\((.*)\)$/;

/** Thrown by the readers here with the piece of text that they cannot read; who knows the line says so. */
export class UnreadableText extends Error {
  override readonly name = "UnreadableText";
}

function numberOf(text: string): bigint {
  if (!NUMBER.test(text)) throw new UnreadableText(`"${text}" is not a number`);
  return BigInt(text);
}

interface Fields {
  readonly bounds: LogBounds;
  /** Whether any bound was printed. */
  readonly bounded: boolean;
  readonly rest: ReadonlyMap<string, string>;
}

/** What stands between the parentheses. */
function fieldsOf(text: string): Fields {
  const rest = new Map<string, string>();
  let bounds = NO_BOUNDS;
  let bounded = false;
  for (const field of text === "" ? [] : text.split(",")) {
    const parts = field.split("=").map(boundName);
    const value = parts.pop() ?? "";
    const [name = value] = parts;
    if (parts.some(isBound)) {
      for (const each of parts) {
        if (!isBound(each)) throw new UnreadableText(`"${field}" is not a bound`);
        bounds = { ...bounds, [each]: AS_BOUND[each](numberOf(value)) };
      }
      bounded = true;
    } else if (name === "var_off") {
      const [, known = "", unknown = ""] = VAR_OFF.exec(value) ?? [];
      bounds = { ...bounds, value: numberOf(known), mask: numberOf(unknown) };
      bounded = true;
    } else if (name === "imm") {
      bounds = constantBounds(numberOf(value));
      bounded = true;
    } else {
      // Fields without a value (`non_own_ref`) have their own name.
      rest.set(name, value);
    }
  }
  return { bounds, bounded, rest };
}

/** The number in a field, which leaves it. */
function take(fields: Map<string, string>, name: string): number {
  const text = fields.get(name);
  fields.delete(name);
  return text === undefined ? 0 : Number(BigInt.asIntN(64, numberOf(text)));
}

const ID = /^(\d+)(?:([+-]\d+))?$/;

function readScalar(text: string, precise: boolean): LogScalar {
  const { bounds, rest } = fieldsOf(text);
  const fields = new Map(rest);
  const id = ID.exec(fields.get("id") ?? "0");
  fields.delete("id");
  if (id === null || fields.size > 0) throw new UnreadableText(`"${text}" is not what is known of a scalar`);
  return { kind: "scalar", bounds, id: Number(id[1]), delta: Number(id[2] ?? 0), precise };
}

function readPointer(type: string, text: string): LogPointer {
  const { bounds, bounded, rest } = fieldsOf(text);
  const fields = new Map(rest);
  const [off, id, range] = [take(fields, "off"), take(fields, "id"), take(fields, "r")];
  return { kind: "pointer", type, off, bounds: bounded ? bounds : constantBounds(0n), id, range, fields };
}

/** Before a register: whether it is marked as deciding something; in Linux 5.10 also that it is a scalar. */
const PREFIX = /^((?:inv(?=[P\d(-]|$))?P?)(.*)$/;

/** A scalar after its name in Linux 5.10: a number, bounds, or nothing. */
function readScalarOf5(body: string, precise: boolean): LogScalar {
  const inside = /^\((.*)\)$/.exec(body)?.[1];
  if (inside !== undefined || body === "") return readScalar(inside ?? "", precise);
  return { kind: "scalar", bounds: constantBounds(numberOf(body)), id: 0, delta: 0, precise };
}

/** @throws UnreadableText */
export function readRegister(text: string): LogRegister {
  const [, prefix = "", body = ""] = PREFIX.exec(text) ?? [];
  const precise = prefix.endsWith("P");
  if (prefix.startsWith("inv")) return readScalarOf5(body, precise);
  if (NUMBER.test(body))
    return { kind: "scalar", bounds: constantBounds(BigInt(body)), id: 0, delta: 0, precise };
  const stack = STACK.exec(body);
  if (stack !== null) {
    const [, frame, off, fields] = stack;
    const pointer = readPointer("fp", fields ?? "");
    return {
      ...pointer,
      off: pointer.off + Number(off ?? 0),
      ...(frame === undefined ? {} : { frame: Number(frame) }),
    };
  }
  // Of an arena's address nothing is known, and nothing said.
  if (body === "arena") return readPointer(body, "");
  const [, type, fields] = TYPED.exec(body) ?? [];
  if (type === undefined || fields === undefined) throw new UnreadableText(`"${text}" is not a register`);
  return type === "scalar" ? readScalar(fields, precise) : readPointer(type, fields);
}

/** A letter for each byte. */
const BYTES = /^[?m0dif]{8}$/;
/** Bytes above a spilled register of 1, 2, 4 or 8 bytes; its text follows. */
const SPILLED = [/^([?m0]{7})(.+)$/, /^([?m0]{6})(.+)$/, /^([?m0]{4})(.+)$/, /^()(.+)$/];

/** @throws UnreadableText */
export function readSlot(text: string): LogSlot {
  if (BYTES.test(text)) return { bytes: text };
  for (const form of SPILLED) {
    const [, bytes, register] = form.exec(text) ?? [];
    // Only the right cut leaves a register: no number is printed with zeros in front.
    if (bytes === undefined || register === undefined) continue;
    try {
      return { bytes, spilled: readRegister(register) };
    } catch (error) {
      if (!(error instanceof UnreadableText)) throw error;
    }
  }
  throw new UnreadableText(`"${text}" is not a stack slot`);
}
