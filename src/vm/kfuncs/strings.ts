/**
 * The kernel's functions on texts of its own memory: positions and orders, or negative error numbers. They look at a text as far as they must, and at no more
 * than 64 KiB of it. Learnt from their documentation and by experiment; `properties/machine` compares.
 */
import { E2BIG, EFAULT, ENOENT, ERANGE } from "../errno.ts";
import type { Call } from "../helpers/call.ts";
import type { HelperTable } from "../helpers/helper.ts";
import { bytesAt, isKernelAddress } from "../reach.ts";

/** XATTR_SIZE_MAX in linux/limits.h. */
const MOST = 65536;

/** Why a function stops before its time. */
class Stop extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super();
    this.errno = errno;
  }
}

/** The byte at a position of a text. */
type Text = (index: number) => number;

function text(call: Call, register: number, name: string): Text {
  const address = call.u64(register, name);
  if (!isKernelAddress(address)) throw new Stop(ERANGE);
  return (index) => {
    const [byte] = bytesAt(call.state, address + BigInt(index), 1) ?? [];
    if (byte === undefined) throw new Stop(EFAULT);
    return byte;
  };
}

const character = (call: Call, register: number): number => call.u32(register, "c") & 0xff;

/** How many characters count: a 64-bit number. */
const length = (call: Call, register: number): number =>
  Number(call.u64(register, "count") > BigInt(MOST) ? BigInt(MOST) : call.u64(register, "count"));

/** Goes through positions until the step gives a result; `none` if there are no more, and too many is an error. */
function scan(
  count: number,
  none: (index: number) => number,
  step: (index: number) => number | undefined,
): number {
  for (let i = 0; i < count; i += 1) {
    const result = step(i);
    if (result !== undefined) return result;
  }
  return count === MOST ? E2BIG : none(count);
}

const lower = (byte: number): number => {
  const isUpper = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0xc0 && byte <= 0xde && byte !== 0xd7);
  return isUpper ? byte + 0x20 : byte;
};
const same = (byte: number): number => byte;

function compare(call: Call, fold: (byte: number) => number): number {
  const [first, second] = [text(call, 1, "s1"), text(call, 2, "s2")];
  return scan(
    MOST,
    () => 0,
    (i) => {
      const [a, b] = [fold(first(i)), fold(second(i))];
      if (a !== b) return a < b ? -1 : 1;
      return a === 0 ? 0 : undefined;
    },
  );
}

function find(call: Call, count: number, wanted: number): number {
  const s = text(call, 1, "s");
  return scan(
    count,
    () => ENOENT,
    (i) => {
      const byte = s(i);
      if (byte === wanted) return i;
      return byte === 0 ? ENOENT : undefined;
    },
  );
}

function findOrEnd(call: Call): number {
  const s = text(call, 1, "s");
  const wanted = character(call, 2);
  return scan(
    MOST,
    () => 0,
    (i) => {
      const byte = s(i);
      return byte === wanted || byte === 0 ? i : undefined;
    },
  );
}

/** All of the number that is looked for counts, not only its lowest byte. */
function findLast(call: Call): number {
  const s = text(call, 1, "s");
  const wanted = call.i32(2, "c");
  let last = ENOENT;
  return scan(
    MOST,
    () => 0,
    (i) => {
      const byte = s(i);
      if (byte === wanted) last = i;
      return byte === 0 ? last : undefined;
    },
  );
}

function measure(call: Call, count: number): number {
  const s = text(call, 1, "s");
  return scan(
    count,
    (end) => end,
    (i) => (s(i) === 0 ? i : undefined),
  );
}

/** How many of the first characters are among those of the second text, or are not. */
function span(call: Call, among: boolean): number {
  const [s, set] = [text(call, 1, "s"), text(call, 2, among ? "accept" : "reject")];
  return scan(
    MOST,
    () => 0,
    (i) => {
      const byte = s(i);
      if (byte === 0) return i;
      const found = scan(
        MOST,
        () => 0,
        (j) => {
          const one = set(j);
          if (one === byte) return 1;
          return one === 0 ? 0 : undefined;
        },
      );
      if (found < 0) return found;
      return (found === 1) === among ? undefined : i;
    },
  );
}

/** Where the second text begins within the first `count` characters of the first. */
function findText(call: Call, count: number): number {
  const [s, wanted] = [text(call, 1, "s1"), text(call, 2, "s2")];
  return scan(
    MOST,
    () => ENOENT,
    (i) => beginsAt(s, wanted, i, count),
  );
}

/** The position, if the second text begins there; an error number, if it begins nowhere from there on. */
function beginsAt(s: Text, wanted: Text, at: number, count: number): number | undefined {
  for (let j = 0; j < MOST; j += 1) {
    const b = wanted(j);
    if (b === 0) return at;
    if (at + j >= count) return ENOENT;
    const a = s(at + j);
    if (a === 0) return ENOENT;
    if (a !== b) return undefined;
  }
  return E2BIG;
}

const FUNCTIONS: Readonly<Record<string, (call: Call) => number>> = {
  bpf_strcmp: (call) => compare(call, same),
  bpf_strcasecmp: (call) => compare(call, lower),
  bpf_strchr: (call) => find(call, MOST, character(call, 2)),
  bpf_strnchr: (call) => find(call, length(call, 2), character(call, 3)),
  bpf_strchrnul: findOrEnd,
  bpf_strrchr: findLast,
  bpf_strlen: (call) => measure(call, MOST),
  bpf_strnlen: (call) => measure(call, length(call, 2)),
  bpf_strspn: (call) => span(call, true),
  bpf_strcspn: (call) => span(call, false),
  bpf_strstr: (call) => findText(call, MOST),
  bpf_strnstr: (call) => findText(call, length(call, 3)),
};

/** A function that gives the error number which its work stopped at. */
function stopping(run: (call: Call) => number): (call: Call) => number {
  return (call) => {
    try {
      return run(call);
    } catch (error) {
      if (error instanceof Stop) return error.errno;
      throw error;
    }
  };
}

export const STRING_FUNCTIONS: HelperTable = Object.fromEntries(
  Object.entries(FUNCTIONS).map(([name, run]) => [name, stopping(run)]),
);
