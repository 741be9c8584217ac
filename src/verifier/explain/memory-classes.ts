/** Messages about memory: what may be read and written where. */
import type { MessageClass, Subject } from "./message-class.ts";

const MEMORY = "Memory Safety";

const PACKET: readonly MessageClass[] = [
  {
    pattern: /^invalid access to packet, off=(-?\d+) size=(\d+), R\d+\(id=\d+,off=-?\d+,r=(\d+)\)/,
    category: MEMORY,
    problem: "access outside of the part of the packet that was checked",
    needed: ({ name }, [, off, size, range]) =>
      `a comparison with data_end that shows ${Number(off) + Number(size)} bytes from ${name}'s base on; ${
        Number(range) === 0 ? "none does on this path" : `this path has one that shows ${range}`
      }`,
    suggestion: ({ movedBy }, [, off, size, range]) =>
      movedBy !== undefined
        ? `${movedBy} may move the packet: read data and data_end from the context again after it, and compare again.`
        : Number(range) === 0
          ? "Compare before the access, with the same pointer variable that is dereferenced: if (p + size > data_end) return …;"
          : `Let the comparison cover the whole access: if (p + ${Number(off) + Number(size)} > data_end) return …;`,
  },
  {
    pattern: /^cannot write into packet/,
    category: MEMORY,
    problem: "write to a packet that is read only",
    needed: "a program type that may write to the packet directly",
    suggestion:
      "Write with a helper such as bpf_skb_store_bytes where the program type has one, or use a copy.",
  },
];

const BOUNDS: readonly MessageClass[] = [
  {
    pattern:
      /^invalid access to (map value|map key|memory), \w+=(\d+) off=(-?\d+) size=(\d+)\nR\d+ (min|max) value/,
    category: MEMORY,
    problem: "access outside of the object",
    needed: (_, [, what, size, , bytes]) =>
      Number(bytes) > Number(size)
        ? `an access of no more than ${size} bytes: so large is the ${what}`
        : `an offset from 0 to ${Number(size) - Number(bytes)}: the ${what} has ${size} bytes, and ${bytes} are accessed`,
    suggestion: ({ variable }, [, , size, off, bytes]) =>
      !variable || Number(bytes) > Number(size)
        ? "The offset is a constant: make the object larger or the access smaller."
        : `The offset may be ${off}: compare the index itself, after its last change and in the width it is used in (if (i >= N) return …;), or mask it (i &= N - 1 where N is a power of two).`,
  },
  {
    pattern: /^R\d+ unbounded memory access, make sure to bounds check/,
    category: MEMORY,
    problem: "access at an offset without an upper bound",
    needed: ({ name }) => `an upper bound of the number that was added to ${name}`,
    suggestion:
      "Bound the index before it is added: if (i >= N) return …; or i &= N - 1. The comparison must be with the variable that is added, unsigned or with both ends, and after its last change.",
  },
  {
    pattern: /^R\d+ min value is negative, either use unsigned index/,
    category: MEMORY,
    problem: "access at an offset that may be negative",
    needed: ({ name }) => `that the number that was added to ${name} is not negative`,
    suggestion: "Use an unsigned type for the index, or compare with 0 too: if (i < 0 || i >= N) return …;",
  },
  {
    pattern: /^math between \w+ pointer and register with unbounded min value/,
    category: MEMORY,
    problem: "pointer arithmetic with a number that has no lower bound",
    needed: ({ name }) => `bounds of ${name} on both sides, within ±2^29, before it is added to a pointer`,
    suggestion:
      "Use an unsigned type of 32 bits or less for the index, or bound it on both sides before the addition; a comparison of the low 32 bits says nothing of the high ones.",
    follow: "source",
  },
  {
    pattern:
      /^(?:math between \w+ pointer and (-?\d+) is not allowed|value (-?\d+) makes \w+ pointer be out of bounds|\w+ pointer offset (-?\d+) is not allowed)/,
    category: MEMORY,
    problem: "pointer arithmetic that leads too far away",
    needed: "offsets within ±2^29 at all times, also between additions",
    suggestion: "Bound the number before it is added to the pointer.",
    follow: "source",
  },
  {
    pattern: /^R\d+ invalid (?:negative )?(?:variable|\w+) buffer/,
    category: MEMORY,
    problem: "access outside of a buffer",
    needed: "a constant offset that is not negative",
    suggestion: "Read the buffer at constant offsets.",
  },
  {
    pattern: /^invalid access to flow keys/,
    category: MEMORY,
    problem: "access outside of struct bpf_flow_keys",
    needed: "an offset and size inside the structure",
    suggestion: "Use the fields of struct bpf_flow_keys.",
  },
  {
    pattern: /^(?:write|read) (?:into|from) map forbidden/,
    category: MEMORY,
    problem: "access to a map that its flags forbid",
    needed: "a map that the program may use in this way",
    suggestion:
      "Constants (const data, .rodata, BPF_F_RDONLY_PROG) cannot be written: take a writable map or a copy on the stack.",
  },
  {
    pattern: /^bpf_\w+\(\) may write into memory pointed by R\d+/,
    category: MEMORY,
    problem: "an object of the kernel where a helper wants memory of the program's",
    needed:
      "memory of the program's own: helpers read an object only through arguments that they never write",
    suggestion: "Copy what is wanted of the object to the stack, and hand that to the helper.",
  },
  {
    pattern: /^R\d+ cannot write into/,
    category: MEMORY,
    problem: "write to memory that is read only",
    needed: "memory that may be written",
    suggestion: "Write to a copy on the stack or in a map.",
  },
];

const STACK: readonly MessageClass[] = [
  {
    pattern:
      /^invalid (?:indirect )?(?:read|access)(?: from)?(?: to)? stack (?:off -?\d+\+\d+ size|R\d+ var_off \(.*\)(?:\+\d+)? size|R\d+ off -?\d+\+\d+ size)/,
    category: MEMORY,
    problem: "read of stack bytes that were not written",
    needed: "every byte that is read to have been written on this path, padding between fields included",
    suggestion:
      "Initialise the whole variable where it is declared (struct s x = {}; or __builtin_memset, which fills padding too).",
    follow: "access",
  },
  {
    pattern:
      /^invalid (?:read from|write to|read from|access to|indirect access to).* stack R\d+ off=(-?\d+) size=(\d+)/,
    category: MEMORY,
    problem: "access outside of the stack",
    needed: (_, [, off, size]) =>
      `bytes from -512 to -1 of the frame; this access has bytes ${off} to ${Number(off) + Number(size) - 1}`,
    suggestion: "Check the size and the index against the variable's; a function has 512 bytes of stack.",
  },
  {
    pattern: /^invalid (?:unbounded )?variable-offset/,
    category: MEMORY,
    problem: "stack access at an offset that may lie outside of the stack",
    needed: ({ name }) =>
      `bounds of the number that was added to ${name}, such that all bytes lie in the frame`,
    suggestion:
      "Bound the index against the array's size before it is used: if (i >= N) return …; or i &= N - 1.",
  },
  {
    pattern: /^variable offset stack pointer cannot be passed into helper function; var_off=/,
    category: MEMORY,
    problem: "atomic operation at a place of the stack that is not the same on every run",
    needed: ({ name }) => `a constant in place of the number that was added to ${name}`,
    suggestion: "Do the atomic operation on a variable of its own, or in a map's value.",
  },
  {
    pattern: /^invalid size of register fill/,
    category: "Register Type Safety",
    problem: "part of a pointer that lies on the stack is read",
    needed: "a read of all eight bytes at once",
    suggestion: "Do not reinterpret stored pointers; copy them as pointers.",
    follow: "access",
  },
  {
    pattern: /^cannot spill pointers to stack into stack frame of the caller/,
    category: "Resource Lifetime Safety",
    problem: "a pointer to a function's own stack is stored in its caller's",
    needed: "nothing of the frame to be reachable when the function has returned",
    suggestion: "Let the caller own the memory and pass a pointer to it.",
    follow: "source",
  },
  {
    pattern: /^combined stack size of (\d+) calls is (\d+)/,
    category: "Verifier Limit",
    problem: "the stack of a chain of calls is too large",
    needed: (_, [, calls, size]) =>
      `512 bytes or less in the frames of ${calls} calls together, each rounded up to 16; they have ${size}`,
    suggestion:
      "Move large variables into a per-CPU array of one element, or make the chain of calls shorter.",
    follow: "nothing",
  },
];

const ALIGNMENT: readonly MessageClass[] = [
  {
    pattern: /^misaligned (?:\w+ )*access off/,
    category: MEMORY,
    problem: "access that is not aligned",
    needed: "an address that is a multiple of the access' size",
    suggestion:
      "Read the bytes one by one, or with __builtin_memcpy into a variable; let structures have their natural alignment.",
  },
];

const CONTEXT: readonly MessageClass[] = [
  {
    pattern: /^R\d+ is (?!ptr_)(\w+) invalid negative access: off=(-\d+)/,
    category: MEMORY,
    problem: "access in front of a map",
    needed: (_, [, struct]) =>
      `an offset inside of struct ${struct}, which a pointer to such a map points to`,
    suggestion:
      "Read the map's own members only (struct bpf_map comes first); a value's address comes from bpf_map_lookup_elem.",
  },
  {
    pattern:
      /^(?:access beyond (?:the end of member \w+ \(mend:\d+\) in )?struct (\w+)|cannot access ptr member \w+ .* in struct (\w+)|struct (\w+) doesn't have field)/,
    category: MEMORY,
    problem: "access to a kernel structure that its members do not allow",
    needed: (_, [, beyond, pointer, missing]) =>
      `an access inside of one member of struct ${beyond || pointer || missing || "?"}, of a pointer as a whole`,
    suggestion:
      "Read members by name, as vmlinux.h of the running kernel declares them, with CO-RE relocations where it was built for another.",
    follow: "access",
  },
  {
    pattern: /^R\d+ invalid (sock|sock_common|tcp_sock|xdp_sock) access off=(-?\d+) size=(\d+)/,
    category: MEMORY,
    problem: "access to a socket that its fields do not allow",
    needed: (_, [, kind, off, size]) =>
      `a field of struct bpf_${kind === "sock_common" ? "sock" : kind} at offset ${off} that may be read with ${size} bytes`,
    suggestion: (_, [, kind]) =>
      kind === "sock_common"
        ? "Before bpf_sk_fullsock or bpf_tcp_sock only the fields that all sockets have may be read: those up to state."
        : "Read one field at a time, in its own size; most fields have no narrower form, and none may be written.",
  },
  {
    pattern: /^invalid bpf_context access off=(-?\d+) size=(\d+)/,
    category: MEMORY,
    problem: "access to the context that this program type does not have",
    needed: (subject, [, off, size]) =>
      `a field at offset ${off} that may be accessed with ${size} bytes in this direction${fieldText(subject, Number(off))}`,
    suggestion:
      "Use the fields of the program type's context structure, in their own size; some may be read only, some only be written by some program types.",
  },
  {
    pattern: /^(?:dereference of modified (\w+) ptr|negative offset (\w+) ptr|variable (\w+) access)/,
    category: MEMORY,
    problem: "access through a pointer that was moved",
    needed: ({ name }) => `${name} as the program got it: offsets belong into the load or store itself`,
    suggestion:
      "Access fields by name from the unchanged pointer. If the compiler adds the offset first, read the field into a variable earlier, or behind a barrier_var().",
  },
];

/** What a program may do at an offset of its context, for the words of a refusal. */
function fieldText({ context, program }: Subject, off: number): string {
  // A loader without capabilities may do less than the context says.
  if (context === undefined || program.privileges !== undefined) return "";
  const fields = context.fields.filter(({ offset, size }) => off >= offset && off < offset + size);
  const [field] = fields;
  if (field === undefined) return `; ${context.struct} has none there that this program type may use`;
  const ways = (sizes: readonly number[], how: string): string =>
    sizes.length === 0 ? `not be ${how}` : `be ${how} with ${[...new Set(sizes)].join(", ")} bytes`;
  const reads = fields.flatMap((each) => each.reads);
  const writes = fields.flatMap((each) => each.writes);
  return `; ${field.name} may ${ways(reads, "read")} and ${ways(writes, "written")}`;
}

export const MEMORY_CLASSES: readonly MessageClass[] = [
  ...PACKET,
  ...BOUNDS,
  ...STACK,
  ...ALIGNMENT,
  ...CONTEXT,
];
