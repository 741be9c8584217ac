/**
 * A packet of which nothing is known but a bound of its length: bytes, length and what Linux knows of it are variables. Both machines, the classic one and that of the conversion,
 * read the same one.
 */
import {
  add,
  all,
  any,
  bswap,
  concat,
  constant,
  eq,
  extract,
  FALSE,
  ite,
  not,
  sge,
  sub,
  TRUE,
  ule,
  variable,
  zext,
} from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";

/** Where a packet's parts are, in bytes from the first one that there is. */
export interface Geometry {
  /** Bytes at most. */
  readonly bound: number;
  readonly link: number;
  readonly network: number;
  /** The filter's offset 0. */
  readonly data: number;
}

const NET_OFF = -0x100000;
const LL_OFF = -0x200000;
const WORD = 32;

const number = (value: number): Term<32> => constant(WORD, value);

/** What Linux knows of a packet, each in as many bits as it has. */
const FACTS = {
  protocol: variable("protocol", 16),
  pkttype: variable("pkttype", 3),
  ifindex: variable("ifindex", 32),
  mark: variable("mark", 32),
  queue: variable("queue", 16),
  rxhash: variable("rxhash", 32),
  vlan_tag: variable("vlan_tag", 16),
  vlan_tag_present: variable("vlan_tag_present", 1),
  vlan_tpid: variable("vlan_tpid", 16),
} as const;

export type Fact = keyof typeof FACTS;

/** In host order. */
export const fact = (name: Fact): Term<32> => zext(WORD, FACTS[name]);

/** As `__sk_buff` has it: protocols are in network order. */
export const skbField = (name: Fact): Term<32> =>
  name === "protocol" || name === "vlan_tpid" ? zext(WORD, bswap(FACTS[name])) : fact(name);

/** Numbers that the kernel gives when asked: the nth that a program asks for. */
export const given = (name: "cpu" | "random", nth: number): Term<32> => variable(`${name}${nth}`, WORD);

/** Bytes at an address: whether the packet has them, and, if so, their number in little-endian order. */
export interface Loaded {
  readonly present: Term<1>;
  readonly value: Term;
}

export class SymbolicPacket {
  /** From offset 0 on. */
  readonly length: Term<32> = variable("length", WORD);
  readonly #geometry: Geometry;
  readonly #bytes: readonly Term<8>[];

  constructor(geometry: Geometry) {
    this.#geometry = geometry;
    this.#bytes = Array.from({ length: geometry.bound }, (_, at) => variable(`byte${at}`, 8));
  }

  /** What holds of every packet. */
  get assumption(): Term<1> {
    const { bound, data } = this.#geometry;
    return ule(this.length, number(bound - data));
  }

  /** `size` bytes at a filter's offset. */
  load(offset: Term<32>, size: 1 | 2 | 4): Loaded {
    const { data, network, link } = this.#geometry;
    const at = (from: number, base: number): Term<32> => add(offset, number(base - from));
    const ahead = sge(offset, number(0));
    const inNetwork = all(not(ahead), sge(offset, number(NET_OFF)));
    const inLink = all(not(ahead), not(inNetwork), sge(offset, number(LL_OFF)));
    if (offset.op === "const") return this.#constant(Number(BigInt.asIntN(WORD, offset.value)), size);
    const index = ite(ahead, at(0, data), ite(inNetwork, at(NET_OFF, network), at(LL_OFF, link)));
    // An offset ahead may be so large that the index wraps around: `offset` itself is compared then.
    const fits = (place: Term<32>, whole: Term<32>): Term<1> =>
      all(ule(number(size), whole), ule(place, sub(whole, number(size))));
    const frame = add(this.length, number(data));
    const present = ite(ahead, fits(offset, this.length), all(any(inNetwork, inLink), fits(index, frame)));
    return { present, value: this.#select(index, size) };
  }

  #constant(offset: number, size: 1 | 2 | 4): Loaded {
    const { bound, data, network, link } = this.#geometry;
    const base =
      offset >= 0 ? data : offset >= NET_OFF ? network - NET_OFF : offset >= LL_OFF ? link - LL_OFF : bound;
    const index = base + offset;
    const absent = { present: FALSE, value: constant(8 * size, 0) };
    if (index < 0 || index + size > bound) return absent;
    const needed = index + size - data;
    const present = needed <= 0 ? TRUE : ule(number(needed), this.length);
    return { present, value: joined(this.#bytes.slice(index, index + size)) };
  }

  /** By the bits of the index: of no meaning for one that is too large. */
  #select(index: Term<32>, size: 1 | 2 | 4): Term {
    const choose = (from: readonly Term<8>[], bit: number): Term<8> => {
      const [only] = from;
      if (only === undefined) return constant(8, 0);
      if (bit < 0) return only;
      const half = 1 << bit;
      const low = choose(from.slice(0, half), bit - 1);
      const high = choose(from.slice(half), bit - 1);
      return ite(eq(extract(1, index, bit), constant(1, 1)), high, low);
    };
    const bits = Math.ceil(Math.log2(this.#geometry.bound));
    const bytes = Array.from({ length: size }, (_, at) => choose(this.#bytes.slice(at), bits - 1));
    return joined(bytes);
  }
}

/** The first byte lowest. */
function joined(bytes: readonly Term<8>[]): Term {
  const [first, ...rest] = bytes;
  if (first === undefined) throw new Error("a number of no bytes");
  return rest.reduce<Term>((low, high) => concat(low.width + 8, high, low), first);
}

/** The word of `struct seccomp_data` at a multiple of four. */
export const seccompWord = (offset: number): Term<32> => variable(`data${offset}`, WORD);
