/** Expected attach types as BPF_PROG_LOAD looks at them. */
import type { Profile } from "../../semantics/profile/profile.ts";
import { ATTACH_TYPES, type ProgramType } from "../../semantics/program/program-types.ts";

/** Types for which Linux puts another attach type in the place of number 0. */
const INSTEAD_OF_NONE: { readonly [type in ProgramType]?: (typeof ATTACH_TYPES)[number] } = {
  cgroup_sock: "cgroup_inet_sock_create",
  sk_reuseport: "sk_reuseport_select",
};

/** The attach type's number that a program has whose loader gave this one. */
export function withAttachType(type: ProgramType | undefined, given: number): number {
  const instead = type === undefined || given !== 0 ? undefined : INSTEAD_OF_NONE[type];
  return instead === undefined ? given : ATTACH_TYPES.indexOf(instead);
}

/** Types that need an attach type; number 0, which is that of others, stands for none. */
const NOT_WITHOUT: ReadonlySet<ProgramType> = new Set([
  "cgroup_sock_addr",
  "cgroup_sockopt",
  "sk_lookup",
  "netfilter",
]);

/** Types of which Linux looks at the attach type only where they have a target. */
const BY_TARGET: ReadonlySet<ProgramType> = new Set(["tracing", "lsm", "struct_ops"]);

/** Whether a program of the type may have the attach type, by its number. */
export function isAttachTypeFor(
  type: ProgramType | undefined,
  attach: number,
  { attachTypes }: Profile,
): boolean {
  if (type === undefined || BY_TARGET.has(type)) return true;
  if (type === "ext") return attach === 0;
  if (attach === 0) return !NOT_WITHOUT.has(type);
  const known = attachTypes[type];
  if (known === undefined || known === "any") return true;
  const name = ATTACH_TYPES[attach];
  return name !== undefined && known.includes(name);
}
