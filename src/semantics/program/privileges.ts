/**
 * What the loader of a program is allowed: capabilities, by their names in linux/capability.h. Kernels ask less of programs whose loader
 * may do more. That anybody may load programs at all is a kernel's setting (kernel.unprivileged_bpf_disabled), not a rule for programs.
 */
export const CAPABILITIES = ["cap_bpf", "cap_perfmon", "cap_net_admin", "cap_sys_admin"] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** A program's loader: `privileges` is absent if it has all capabilities. */
interface Loaded {
  readonly privileges?: readonly Capability[];
}

/** Whether the program's loader has a capability: of a program that does not say, every one. `cap_sys_admin` stands for the others. */
export const isCapable = (
  { privileges }: Loaded,
  capability: Exclude<Capability, "cap_sys_admin">,
): boolean =>
  privileges === undefined || privileges.includes("cap_sys_admin") || privileges.includes(capability);
