/** What kernel functions return. */
import { Unsupported } from "../../../semantics/errors.ts";
import { acquireReference, REFERENCE } from "../../references.ts";
import {
  FLAG,
  KIND,
  kindOf,
  mayBeNull,
  setId,
  setKind,
  setNone,
  setPointer,
  setReference,
  setUnknown,
} from "../../register.ts";
import { takeId } from "../../state.ts";
import { givesPassing } from "../iterator.ts";
import { typesOf } from "../kernel-object.ts";
import { type Machine, register } from "../machine.ts";
import { giveCast } from "./casts.ts";
import { hasKfuncFlag, type KfuncCall } from "./facts.ts";

const STRUCT = "struct ";

/** Puts the result of a call into r0. */
export function giveKfuncResult(m: Machine, call: KfuncCall): void {
  give(m, call, hasKfuncFlag(call, "rcu_protected") ? FLAG.rcu : 0);
  if (hasKfuncFlag(call, "ret_null")) setMayBeNull(m);
  if (hasKfuncFlag(call, "acquire")) giveReference(m, call);
}

/** Puts an element of an iterator into r0: an object is one under RCU, or may be gone soon. */
export const giveElement = (m: Machine, call: KfuncCall): void =>
  give(m, call, givesPassing(call.facts) ? FLAG.untrusted : FLAG.rcu);

function give(m: Machine, call: KfuncCall, trust: number): void {
  if (giveCast(m, call)) return;
  const r0 = register(m, 0);
  const { returns } = call.facts;
  if (returns.kind === "void") return setNone(r0);
  // `void *` is no more than a number.
  if (returns.kind === "scalar" || (returns.kind === "pointer" && returns.to === "void")) {
    const isAddress = returns.kind === "pointer" && !m.rights.leaks;
    if (isAddress || hasKfuncFlag(call, "acquire")) {
      throw new Unsupported(`result of kernel function ${call.facts.name}`);
    }
    return setUnknown(r0);
  }
  if (returns.kind !== "pointer") throw new Unsupported(`result of kernel function ${call.facts.name}`);
  if (returns.to?.startsWith(STRUCT) !== true) return giveMemory(call, r0);
  const struct = typesOf(m).structId(returns.to.slice(STRUCT.length));
  if (struct === undefined) throw new Unsupported(`kernel objects of type ${returns.to}`);
  setPointer(r0, KIND.btf | (UNTRUSTED.has(call.facts.name) ? FLAG.untrusted : trust), struct);
}

/** Objects that nobody vouches for. */
const UNTRUSTED: ReadonlySet<string> = new Set(["bpf_get_kmem_cache"]);

/** What these give may be written. */
const WRITABLE: ReadonlySet<string> = new Set(["bpf_session_cookie"]);

function giveMemory(call: KfuncCall, r0: number): void {
  const { name, returns } = call.facts;
  const size = call.result?.size ?? returns.size;
  if (size === undefined || hasKfuncFlag(call, "rcu_protected")) {
    throw new Unsupported(`result of kernel function ${name}`);
  }
  const readOnly = call.result?.readOnly ?? !WRITABLE.has(name);
  setPointer(r0, readOnly ? KIND.memory | FLAG.readOnly : KIND.memory, size);
  // It lives no longer than what it was made of.
  if (call.reference !== 0) setReference(r0, call.reference);
}

function setMayBeNull(m: Machine): void {
  const r0 = register(m, 0);
  if (kindOf(r0) <= KIND.scalar) return;
  setKind(r0, kindOf(r0) | FLAG.orNull);
  setId(r0, takeId(m.state));
}

function giveReference(m: Machine, call: KfuncCall): void {
  const r0 = register(m, 0);
  if (call.memoryAsObject) throw new Unsupported(`memory in place of an object for ${call.facts.name}`);
  const id = takeId(m.state);
  acquireReference(m.state, id, REFERENCE.object, m.pc);
  if (mayBeNull(kindOf(r0))) setId(r0, id);
  setReference(r0, id);
}
