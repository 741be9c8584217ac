/** Linux's extensions of classic BPF as eBPF that a socket filter may load: fields of `__sk_buff`, and helpers. */
import { Unsupported } from "../errors.ts";
import { HELPER_NAMES } from "../helpers/names.ts";
import type { Instruction } from "../isa/instruction.ts";
import { insn } from "../isa/make.ts";
import { attributeCode } from "./convert-attributes.ts";
import type { ExtensionName } from "./extensions.ts";
import { REGISTERS } from "./registers.ts";

const { A, X, CONTEXT, NUMBER } = REGISTERS;

/** Offsets in `struct __sk_buff` (linux/bpf.h). */
const FIELDS = {
  pkttype: 4,
  mark: 8,
  queue: 12,
  protocol: 16,
  vlan_tag_present: 20,
  vlan_tag: 24,
  vlan_tpid: 28,
  ifindex: 40,
  rxhash: 68,
} as const;

const field = (name: keyof typeof FIELDS, dst: number = A): Instruction =>
  insn("ldxw", { dst, src: CONTEXT, off: FIELDS[name] });

const HELPERS = { cpu: "get_smp_processor_id", random: "get_prandom_u32" } as const;

const helper = (name: keyof typeof HELPERS): Instruction =>
  insn("call_helper", { imm: HELPER_NAMES.indexOf(HELPERS[name]) });

/** @throws Unsupported  for an extension that asks for what `__sk_buff` and the helpers do not tell */
export function extensionCode(name: ExtensionName): readonly Instruction[] {
  switch (name) {
    case "alu_xor_x":
      return [insn("xor32_reg", { dst: A, src: X })];
    case "protocol":
    case "vlan_tpid":
      // In network order, as a number of 16 bits.
      return [field(name), insn("be16", { dst: A, imm: 16 })];
    case "ifindex":
      // Without a device the filter ends with what is in A.
      return [
        field(name, NUMBER),
        insn("jne64_imm", { dst: NUMBER, off: 1 }),
        insn("exit"),
        insn("mov64_reg", { dst: A, src: NUMBER }),
      ];
    case "pkttype":
    case "mark":
    case "queue":
    case "rxhash":
    case "vlan_tag":
    case "vlan_tag_present":
      return [field(name)];
    case "cpu":
    case "random":
      return [helper(name)];
    case "nlattr":
    case "nlattr_nest":
      return attributeCode(name === "nlattr_nest");
    case "hatype":
    case "pay_offset":
      throw new Unsupported(`the extension ${name} in a program that can be loaded`);
    default:
      return name satisfies never;
  }
}
