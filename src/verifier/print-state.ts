/** Abstract registers and stack slots as the kernel's log prints them. */
import {
  baseOf,
  component32,
  component64,
  constantHigh,
  constantLow,
  deltaOf,
  formOf,
  idOf,
  isConstant,
  isPacketPointer,
  KIND,
  kindName,
  kindOf,
  objectOf,
  offOf,
  rangeOf,
  referenceOf,
  WHOLE,
} from "../absint/register.ts";
import { LAYOUT } from "../absint/scalar/operators.ts";
import { factsText, type Numbers, numbersOf, signedText } from "../absint/scalar/text.ts";
import { BYTE, depthOf, FP, frameCount, registerAt, slotAt, slotByte, spilledAt } from "../absint/state.ts";
import { dynptrName } from "../absint/transfer/dynptr.ts";
import { isOwning } from "../absint/transfer/dynptr-slots.ts";
import { type Machine, mapAt } from "../absint/transfer/machine.ts";
import { isOwnObject } from "../absint/transfer/own-object.ts";

const numbersAt = (at: number): Numbers =>
  numbersOf((component) => {
    const offset = LAYOUT[component];
    return component.endsWith("32") ? BigInt(component32(at, offset)) : component64(at, offset);
  });

/** What the scalar part says, but for a constant 0 and for nothing at all. */
function scalarFacts(at: number): readonly string[] {
  if (isConstant(at)) {
    const value = component64(at, LAYOUT.value);
    return value === 0n ? [] : [`imm=${signedText(value)}`];
  }
  return factsText(numbersAt(at));
}

/**
 * The class of a linked number, and what it is more than the class' number, as the kernel prints them where it has the same link. `id32` if
 * only the low 32 bits are known to be so; `id<<32` if the sum was shifted left.
 */
function linkText(at: number): string[] {
  const [id, delta, form] = [idOf(at), deltaOf(at), formOf(at)];
  if (id === 0) return [];
  const name = form === WHOLE ? "id" : form > 0 ? `id${form}` : `id<<${-form}`;
  return [`${name}=${id}${delta === 0 ? "" : delta > 0 ? `+${delta}` : delta}`];
}

/** The name of an object's type, the program's own or the kernel's. */
const structName = (m: Machine, kind: number, id: number): string =>
  (isOwnObject(kind) ? m.program.ownTypes?.(id)?.name : m.rules.types?.structName(id)) ?? "";

/** A register, without its name. */
export function registerText(m: Machine, at: number, frame: number): string {
  const kind = kindOf(at);
  switch (kind) {
    case KIND.none:
      return "?";
    case KIND.arena:
      return kindName(kind);
    case KIND.scalar: {
      if (isConstant(at)) {
        const value = (BigInt(constantHigh(at)) << 32n) | BigInt(constantLow(at) >>> 0);
        return signedText(value);
      }
      return `scalar(${[...linkText(at), ...scalarFacts(at)].join(",")})`;
    }
    case KIND.stack: {
      const where = objectOf(at) === frame ? "fp" : `fp[${objectOf(at)}]`;
      const facts = scalarFacts(at);
      if (facts.length === 0) return `${where}${offOf(at)}`;
      return `${where}(${[...(offOf(at) === 0 ? [] : [`off=${offOf(at)}`]), ...facts].join(",")})`;
    }
    default: {
      const fields: string[] = [];
      if (idOf(at) !== 0) fields.push(`id=${idOf(at)}`);
      if (baseOf(kind) === KIND.mapValue || baseOf(kind) === KIND.map) {
        const map = mapAt(m, objectOf(at));
        fields.push(`map=${map.name}`, `ks=${map.keySize}`, `vs=${map.valueSize}`);
      }
      if (offOf(at) !== 0) fields.push(`off=${offOf(at)}`);
      if (isPacketPointer(kind)) fields.push(`r=${rangeOf(at)}`);
      if (baseOf(kind) === KIND.memory) fields.push(`sz=${objectOf(at)}`);
      const struct = baseOf(kind) === KIND.btf ? structName(m, kind, objectOf(at)) : "";
      return `${kindName(kind)}${struct}(${[...fields, ...scalarFacts(at)].join(",")})`;
    }
  }
}

/** The kernel's letters for what a byte holds; spilled bytes are shown by their register. */
const LETTERS: Readonly<Record<number, string>> = {
  [BYTE.invalid]: "?",
  [BYTE.misc]: "m",
  [BYTE.zero]: "0",
  [BYTE.spill]: "",
};

/** A stack slot with its name, or nothing if it holds nothing. Bytes are shown from the highest address down. */
export function slotText(m: Machine, frame: number, slot: number): string | undefined {
  const at = slotAt(m.state, frame, slot);
  if (slotByte(at, 0) === BYTE.object) return objectText(slot, spilledAt(at));
  const letters = [7, 6, 5, 4, 3, 2, 1, 0].map((i) => LETTERS[slotByte(at, i)] ?? "?").join("");
  const spilled = slotByte(at, 0) === BYTE.spill;
  if (!spilled && letters === "????????") return undefined;
  return `fp-${8 * (slot + 1)}=${letters}${spilled ? registerText(m, spilledAt(at), frame) : ""}`;
}

/** A dynptr is shown once, in the slot where it begins. */
function objectText(slot: number, record: number): string | undefined {
  if (kindOf(record) !== KIND.dynptr || offOf(record) !== 0) return undefined;
  const [kind, life] = [objectOf(record), referenceOf(record)];
  const ids = isOwning(kind) ? `ref_obj_id=${life}` : `id=${life},dynptr_id=${life}`;
  return `fp-${8 * (slot + 1)}=dynptr_${dynptrName(kind)}(${ids})`;
}

/** The registers and slots of a frame that hold something, in the kernel's order. */
export function frameText(m: Machine, frame: number): string {
  const parts: string[] = [];
  for (let r = 0; r <= FP; r += 1) {
    const at = registerAt(m.state, frame, r);
    if (kindOf(at) !== KIND.none) parts.push(`R${r}=${registerText(m, at, frame)}`);
  }
  for (let s = 0; s < depthOf(m.state, frame); s += 1) {
    const text = slotText(m, frame, s);
    if (text !== undefined) parts.push(text);
  }
  return `${frame === 0 ? "" : ` frame${frame}:`}${parts.map((part) => ` ${part}`).join("")}`;
}

/** All of the current frame. */
export const currentFrameText = (m: Machine): string => frameText(m, frameCount(m.state) - 1);
