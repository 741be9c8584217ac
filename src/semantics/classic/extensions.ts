/**
 * Linux's extensions of classic BPF: what absolute loads at certain negative offsets mean (`SKF_AD_*` of linux/filter.h). A load of any size is one;
 * A always becomes the whole number.
 */
import { xor } from "../term/build.ts";
import type { Term } from "../term/node.ts";
import type { ClassicInstruction } from "./instruction.ts";
import { classicRow } from "./table.ts";
import { A, FIELD, X } from "./variables.ts";

/** As numbers of 32 bits. */
export const SKF_AD_OFF = -0x1000 >>> 0;

export type ExtensionName =
  | "protocol"
  | "pkttype"
  | "ifindex"
  | "nlattr"
  | "nlattr_nest"
  | "mark"
  | "queue"
  | "hatype"
  | "rxhash"
  | "cpu"
  | "alu_xor_x"
  | "vlan_tag"
  | "vlan_tag_present"
  | "pay_offset"
  | "random"
  | "vlan_tpid";

export interface Extension {
  readonly name: ExtensionName;
  /** From SKF_AD_OFF. */
  readonly offset: number;
  /** In bpf_asm's notation; absent where it has none. */
  readonly asm?: string;
  /** In the text of `tcpdump -d`, between brackets. */
  readonly tcpdump: string;
  /** The new A. */
  readonly result: Term<32>;
}

function extension(
  name: ExtensionName,
  offset: number,
  asm: string | undefined,
  tcpdump: string,
  result: Term<32> = FIELD,
): Extension {
  return { name, offset, tcpdump, result, ...(asm === undefined ? {} : { asm }) };
}

export const EXTENSIONS: readonly Extension[] = [
  extension("protocol", 0, "proto", "proto"),
  extension("pkttype", 4, "type", "type"),
  extension("ifindex", 8, "ifidx", "ifidx"),
  extension("nlattr", 12, "nla", "nla"),
  extension("nlattr_nest", 16, "nlan", "nlan"),
  extension("mark", 20, "mark", "mark"),
  extension("queue", 24, "queue", "queue"),
  extension("hatype", 28, "hatype", "hatype"),
  extension("rxhash", 32, "rxhash", "rxhash"),
  extension("cpu", 36, "cpu", "cpu"),
  extension("alu_xor_x", 40, undefined, "xor_x", xor(A, X)),
  extension("vlan_tag", 44, "vlan_tci", "vlan_tci"),
  extension("vlan_tag_present", 48, "vlan_avail", "vlanp"),
  extension("pay_offset", 52, "poff", "poff"),
  extension("random", 56, "rand", "random"),
  extension("vlan_tpid", 60, "vlan_tpid", "vlan_tpid"),
];

const BY_OFFSET: ReadonlyMap<number, Extension> = new Map(EXTENSIONS.map((each) => [each.offset, each]));

/** Whether the instruction loads from the packet at a constant offset: only such a load can be an extension. */
const isAbsolute = (code: number): boolean => classicRow(code)?.operand === "absolute";

/** The extension that the instruction is, if it is one. */
export function extensionOf({ code, k }: ClassicInstruction): Extension | undefined {
  return isAbsolute(code) ? BY_OFFSET.get(k - SKF_AD_OFF) : undefined;
}

/** Whether the instruction has the form of an extension, known or not. */
export const isExtensionForm = ({ code, k }: ClassicInstruction): boolean =>
  isAbsolute(code) && k >= SKF_AD_OFF;
