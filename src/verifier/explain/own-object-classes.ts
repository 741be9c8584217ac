/** Messages about objects that programs allocate, and the lists and trees that these are kept in. */
import type { MessageClass } from "./message-class.ts";

const CALLS = "Call Type Safety";
const LIFETIMES = "Resource Lifetime Safety";

const OBJECTS: readonly MessageClass[] = [
  {
    pattern: /^(?:direct access to (?:bpf_\w+|kptr) is disallowed|bpf_\w+ cannot be accessed directly by)/,
    category: "Memory Safety",
    problem: "an access to what the kernel keeps in a map's value or an object",
    needed: "a place in it that is the program's",
    suggestion:
      "Leave locks, links, counts and pointers in objects to the helpers and kernel functions that are made for them.",
    follow: "access",
  },
  {
    pattern: /^(?:local type ID argument|bpf_obj_new\/bpf_percpu_obj_new|bpf_percpu_obj_new type)/,
    category: CALLS,
    problem: "an object of a type that the kernel allocates none of",
    needed:
      "the id of a structure in the program's own BTF; one of at most 512 bytes of numbers for each processor",
    suggestion: "Call bpf_obj_new(typeof(*pointer)), which passes the id, with a structure.",
    follow: "nothing",
  },
  {
    pattern: /^arg#0 expected for bpf_(?:percpu_)?obj_drop/,
    category: LIFETIMES,
    problem: "an object is given back by the wrong function",
    needed: "bpf_percpu_obj_drop for what bpf_percpu_obj_new gave, bpf_obj_drop for all others",
    suggestion: "Call the function that goes with the one that gave the object.",
    follow: "nothing",
  },
  {
    pattern:
      /^arg#\d+ (?:is neither owning or non-owning ref|doesn't point to a type with bpf_refcount field)/,
    category: LIFETIMES,
    problem: "another reference to something that has no count of them",
    needed: "an object of the program's own with a bpf_refcount in it, that is there",
    suggestion:
      "Put a struct bpf_refcount into the structure, and acquire the object while it is held or locked.",
    follow: "nothing",
  },
  {
    pattern:
      /^(?:arg#\d+ expected pointer to (?:map value or )?allocated object|allocated object must be referenced)/,
    category: LIFETIMES,
    problem: "something is passed that the program does not own",
    needed: "an object that bpf_obj_new gave, or that was taken out of a list, tree or map",
    suggestion:
      "Pass it before it is dropped, or put into a list, tree or map: from then on it is not the program's.",
    follow: "nothing",
  },
];

const LOCKS: readonly MessageClass[] = [
  {
    pattern: /^function calls are not allowed while holding a lock/,
    category: "Execution Context Safety",
    problem: "a call while a lock is held",
    needed: "the lock to be left first; lists, trees and loops by numbers alone may be worked on until then",
    suggestion: "Leave the lock, or do it before the lock is taken.",
    follow: "nothing",
  },
  {
    pattern: /^bpf_(?:res_)?spin_unlock (?:without taking a lock|of different lock|cannot be out of order)/,
    category: "Execution Context Safety",
    problem: "a lock is left that is not held",
    needed: "the lock that was taken last",
    suggestion: "Leave the lock through the pointer through which it was taken.",
    follow: "nothing",
  },
  {
    pattern: /AA deadlock detected/,
    category: "Execution Context Safety",
    problem: "a lock is taken that is held already",
    needed: "the lock to be left first",
    suggestion: "Take each lock once; functions that need it can rely on their caller for that.",
    follow: "nothing",
  },
  {
    pattern:
      /^arg#\d+ doesn't point to map value or allocated object|doesn't point to 'struct bpf_res_spin_lock'|(?:no valid|order to use) bpf_res_spin_lock/,
    category: CALLS,
    problem: "a lock is to be taken where none can be",
    needed: "a pointer to a bpf_res_spin_lock in a map value or in an object",
    suggestion: "Look up the map's value, compare it with null, and pass the address of the lock in it.",
    follow: "nothing",
  },
  {
    pattern: /^irq flag acquired by/,
    category: CALLS,
    problem: "interrupt flags that were saved in another way are restored",
    needed:
      "flags that bpf_res_spin_lock_irqsave has saved for bpf_res_spin_unlock_irqrestore, and those of bpf_local_irq_save for bpf_local_irq_restore",
    suggestion: "Keep the two kinds of flags in variables of their own.",
    follow: "nothing",
  },
  {
    pattern: /would own others of its type, in chains of any length$/,
    category: LIFETIMES,
    problem: "an object would own another of its own type, itself or by others",
    needed: "structures of which none can own itself by what it owns",
    suggestion: "Keep the objects in one list or tree, or in a map, in place of a chain of pointers.",
    follow: "nothing",
  },
];

const GRAPHS: readonly MessageClass[] = [
  {
    pattern: /bpf_spin_lock at off=-?\d+ must be held for bpf_\w+/,
    category: "Execution Context Safety",
    problem: "a list or tree is used without its lock",
    needed: "the bpf_spin_lock that lies in the same map value or object to be held",
    suggestion: "Call bpf_spin_lock with the lock beside the list or tree, through the same pointer.",
    follow: "nothing",
  },
  {
    pattern: /^bpf_\w+ not found at offset=-?\d+/,
    category: CALLS,
    problem: "no list, tree or link lies where the pointer points",
    needed: "the address of a field of that type",
    suggestion: "Pass the address of the field, as in &object->link.",
    follow: "nothing",
  },
  {
    pattern: /^(?:operation on bpf_\w+ expects arg#1|arg#1 offset=-?\d+, but expected)/,
    category: CALLS,
    problem: "an object for another list or tree",
    needed:
      "an object of the type that the list or tree is declared to contain, and the address of the link that it names",
    suggestion:
      "Put in objects of the type, by the link, that __contains() names where the list or tree is declared.",
    follow: "nothing",
  },
];

const TREES: readonly MessageClass[] = [
  {
    pattern: /(?:can't spin_\{lock,unlock\} in|not allowed in) rbtree cb/,
    category: "Execution Context Safety",
    problem: "what compares two nodes of a tree changes the tree, or lets others change it",
    needed: "a function that looks at its two nodes and says which comes first",
    suggestion: "Take nodes out, and leave the lock, after bpf_rbtree_add has returned.",
    follow: "nothing",
  },
  {
    pattern: /^bpf_rbtree_\w+ can only take non-owning or refcounted/,
    category: CALLS,
    problem: "something is passed that is no node of a tree",
    needed: "a node that bpf_rbtree_first or bpf_rbtree_root gave, or an object that is held",
    suggestion: "Compare the node with null before it is passed.",
    follow: "nothing",
  },
  {
    pattern: /^arg\d+ expected pointer to func/,
    category: CALLS,
    problem: "something else is passed where a function is wanted",
    needed: "the address of a static function of the program",
    suggestion: "Pass the function by its name.",
    follow: "nothing",
  },
];

export const OWN_OBJECT_CLASSES: readonly MessageClass[] = [...OBJECTS, ...LOCKS, ...GRAPHS, ...TREES];
