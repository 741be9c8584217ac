/**
 * What a verifier complains of, by name. The words of one complaint change from kernel to kernel and carry registers and numbers; the class
 * stays. The patterns were read off the logs of Linux 6.1, 6.18 and 7.3, and of our own verifier, which uses the words of Linux.
 */

/** In the order in which they are tried: what is narrow comes before what is wide. */
const CLASSES = [
  // Memory, by what is accessed.
  // `off -8+0` is where nothing was written; `off=-520` is where nothing can be.
  ["stack uninitialised", /read from stack (R\d+ )?(var_)?off [-\d(]/],
  [
    "stack bounds",
    /invalid stack type|variable offset stack pointer cannot|invalid (unbounded )?(variable-offset )?(indirect )?(read|write|access)\b.* stack/,
  ],
  ["stack depth", /combined stack size|stack frame size|stack depth/],
  ["stack spill", /invalid size of register (fill|spill)|corrupt(ed)? spill/],
  [
    "context access",
    /invalid bpf_context access|BPF_ST stores into|(dereference of modified|variable|negative offset) ctx|modified ctx ptr/,
  ],
  ["packet bounds", /invalid access to packet|offset is outside of the packet|packet access/],
  ["unbounded access", /unbounded memory access|min value is negative/],
  [
    "memory bounds",
    /invalid access to (map value|map key|memory|mem|flow keys)|outside of the allowed memory range|direct value offset|invalid \S+ access off=|invalid (\S+ )?buffer access|invalid (variable|negative \S+) buffer offset/,
  ],
  [
    "type access",
    /access beyond (struct|the end|size of)|cannot access ptr member|(is ptr|access) .* (is not|not) (supported|allowed)|only read is supported|access to .* disallowed|variable \S+ access|negative offset|dereference of modified|access percpu memory|invalid (negative access|variable offset):|doesn't have field|no write support to|write access at off|not a supported struct/,
  ],
  ["alignment", /misaligned/],
  [
    "read only",
    /(cannot|may) write into|(write|read) (in)?to?( from)? ?map forbidden|read from map forbidden|write to change key|only read from|write into .* forbidden|does not allow writes to packet/,
  ],
  // Registers and what they hold.
  ["register uninitialised", /!read_ok/],
  ["null pointer", /_or_null'?|possibly null pointer|null-check it first|arg#\d+ .*expected.*non-?null/i],
  ["no pointer", /invalid mem access/],
  [
    "pointer arithmetic",
    /pointer arithmetic|operator .* on pointer|pointer (\+=|-=) pointer|subtract(ion)? (pointer )?from|math between|pointer be out of bounds|pointer offset .* is not allowed|variable offset access|sign-extension part of pointer|tried to (add|subtract)/,
  ],
  ["pointer comparison", /pointer comparison prohibited/],
  [
    "pointer leak",
    /leaks? addr|leaking pointer|cannot (spill pointers|return stack pointer)|partial copy of pointer|attempt to leak/,
  ],
  ["frame pointer", /frame pointer is read only/],
  ["atomic", /BPF_ATOMIC|BPF_(LOAD|STORE)_(ACQ|REL)/],
  // Calls.
  ["capability", /\bCAP_[A-Z]|for loaders with cap_/],
  ["format", /format string|not zero-terminated|does not point to a readonly map/i],
  ["helper unknown", /invalid func /],
  [
    "helper forbidden",
    /unknown func |cannot use helper|helper .* is not allowed|not allowed (for|in) .*prog(ram)?s? type/,
  ],
  ["license", /GPL/],
  [
    "map for helper",
    /cannot pass map_type|expected prog array map|invalid arg_type for|map type .* (does not|doesn't)/,
  ],
  [
    "allocated object",
    /bpf_(percpu_)?obj_new|local type ID|would own others of its type|bpf_(list|rb)_(head|node|root)\b|not allowed in rbtree cb/,
  ],
  [
    "reference",
    /reference (leak|.*has not been acquired)|unreleased reference|release (func|kfunc)|referenced when passed|ref_obj_id|must be referenced|unacquired reference/i,
  ],
  ["map field", /bpf_timer|timer pointer|bpf_wq|workqueue pointer|bpf_task_work|\bkptr\b/],
  [
    "lock",
    /spin_(un)?lock|rcu_read_lock|rcu_read_unlock|preempt_disable|preempt_enable|local_irq|irq state|\bRCU (CS|critical)|\block(ed|s)?\b/,
  ],
  ["arena", /addr_space_cast|arena/],
  ["dynptr", /dynptr/],
  ["iterator", /\biter(ator)?\b|initialized iter_|iter_(new|next|destroy)/],
  ["callback", /callback|exception cb/],
  ["kernel function", /kfunc|kernel function|calling invalid|kernel btf_id|kern ctx type|__bpf_trap/],
  ["zero size", /zero-sized read/],
  [
    "unknown constant",
    /is not a known constant|must be a known constant|allocation size|is not a const|non-zero flags/,
  ],
  ["packet argument", /access to the packet is not allowed/],
  [
    "argument type",
    /R\d+ type=.* expected=|expected (pointer|a pointer|struct)|has .* expected|arg#\d+|type mismatch|must be a rcu pointer|^R\d+ is not a scalar$|is of type .* is expected|isn't map pointer|same insn cannot be used with different pointers/,
  ],
  ["sleep", /might sleep|[Ss]leepable/],
  ["packet loads", /BPF_LD_\[ABS\|IND\]|BPF_LD_ABS\|IND|LD_ABS/],
  ["program result", /R0 not a scalar value|At (program|callback|subprogram) (exit|return)/i],
  ["tail call", /tail_?calls?/],
  // The program as a whole.
  [
    "control flow",
    /unreachable insn|jump out of range|jump into the middle|last insn is not|invalid destination|back-edge|empty program|not an exit|call to invalid|recursive call/,
  ],
  ["endless loop", /infinite loop/],
  ["call depth", /call stack of|frames is too deep|calls? .*too deep|nest/],
  ["too complex", /too large|too complex|complexity|processed \d+ insns?$|jumps is too/i],
  [
    "encoding",
    /div by zero|invalid shift|reserved fields|unknown opcode|invalid (BPF_)?(ld_imm64|LD_IMM|ALU|JMP)|R\d+ is invalid|uses reserved|bad\/unknown/i,
  ],
  [
    "map",
    /only one cgroup storage|bpf_map|map .* (is not|not) (supported|compatible)|value access (support|on string)|uses unsupported map/,
  ],
  [
    "attachment",
    /attach|^The address of function|is not modifiable|points to (disabled|wrong)|bpf_lsm_|trampoline|is not a (function|tracepoint|module)/i,
  ],
  [
    "types",
    /btf|func_info|line_info|FUNC_PROTO|subprog|Global function|Arg#\d+ type|^Caller passes invalid args/i,
  ],
] as const satisfies readonly (readonly [string, RegExp])[];

export type Complaint = (typeof CLASSES)[number][0] | "other";

/**
 * The class of a rejection's message. Of several lines any may tell it: which of them says more differs from kernel to kernel.
 */
export function complaintOf(message: string): Complaint {
  const lines = message.split("\n");
  return CLASSES.find(([, pattern]) => lines.some((line) => pattern.test(line)))?.[0] ?? "other";
}
