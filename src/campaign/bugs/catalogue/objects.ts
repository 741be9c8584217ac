/** Faults of what keeps objects alive: references that are taken and not given back, given back and not taken, or too often. */
import { edit, ofClass, type SeededBug } from "../bug.ts";

const bug = ofClass("LT");

const OBJECTS = "kernel/objects";
const DESCRIPTORS = "kernel/descriptors";
const TREE = "kernel/files/tree";
const SLOTS = "vm/maps/slots";

const HOLD_MAPS = "for (const map of this.#maps) map.hold();";
const PUT_MAPS = "for (const map of this.#maps) map.put();";

export const OBJECT_BUGS: readonly SeededBug[] = [
  bug(
    "closed-twice",
    "objects",
    "CVE-2016-4557, 8358b02bf67d: a second fdput",
    "closing a descriptor gives its reference back twice",
    edit(DESCRIPTORS, "file.put(); return 0;", "file.put(); file.put(); return 0;"),
  ),
  bug(
    "fork-without-reference",
    "objects",
    "descriptors that are copied without a reference",
    "a process that forks shares its open files with the other one without a reference for it",
    edit(
      DESCRIPTORS,
      "copy.#entries.set(fd, { file: file.hold(), closeOnExec });",
      "copy.#entries.set(fd, { file, closeOnExec });",
    ),
  ),
  bug(
    "dup-without-reference",
    "objects",
    "descriptors that are copied without a reference",
    "another descriptor of an open file takes no reference",
    edit(
      DESCRIPTORS,
      "this.#entries.set(fd, { file: file.hold(), closeOnExec }); return fd;",
      "this.#entries.set(fd, { file: file.references > 0 ? file : file.hold(), closeOnExec }); return fd;",
    ),
  ),
  bug(
    "exit-keeps-descriptors",
    "objects",
    "files that outlive their process",
    "what the descriptors of a process kept stays when it ends",
    edit("kernel/processes", "descriptors.closeAll();", ""),
  ),
  bug(
    "pin-without-reference",
    "objects",
    "bpf_obj_pin and bpf_any_get, 2015",
    "a pin takes no reference of what it names",
    edit(TREE, "pinned?.holdUser();", ""),
  ),
  bug(
    "unlink-keeps-the-object",
    "objects",
    "inodes of the BPF file system whose object is not put, 2019",
    "a name that is taken away leaves the reference that it was",
    edit(TREE, "if (this.#references === 0) this.pinned?.putUser();", ""),
  ),
  bug(
    "program-array-never-cleared",
    "objects",
    "programs in arrays that they use: 2015, and prog_array_map_poke_untrack, 2019",
    "a program array that user space cannot reach any more keeps its programs",
    edit(OBJECTS, "if (this.#users === 0 && this.storage instanceof ProgramArray) this.storage.reset();", ""),
  ),
  bug(
    "program-array-cleared-too-early",
    "objects",
    "the user count of program arrays, 2015",
    "a program array is cleared with any descriptor of it, be it not the last",
    edit(
      OBJECTS,
      "if (this.#users === 0 && this.storage instanceof ProgramArray)",
      "if (this.storage instanceof ProgramArray)",
    ),
  ),
  bug(
    "map-freed-under-its-program",
    "objects",
    "used_maps of programs",
    "a program does not hold the maps that it uses",
    edit(OBJECTS, HOLD_MAPS, ""),
    edit(OBJECTS, PUT_MAPS, ""),
  ),
  bug(
    "program-keeps-its-maps",
    "objects",
    "used_maps that are not put when a program is freed",
    "a program that is freed does not give back the maps that it used",
    edit(OBJECTS, PUT_MAPS, ""),
  ),
  bug(
    "slot-without-reference",
    "objects",
    "programs in program arrays (prog_fd_array_get_ptr)",
    "a program that is put into a program array is not held by it",
    edit(SLOTS, "this.onHold(thing, true);", ""),
  ),
  bug(
    "replaced-slot-kept",
    "objects",
    "the old element of bpf_fd_array_map_update_elem",
    "what a place of a program array held before is not given back",
    edit(SLOTS, "if (before !== undefined) this.onHold(before, false);", ""),
  ),
  bug(
    "emptied-slot-given-back-twice",
    "objects",
    "fd_array_map_delete_elem",
    "what is taken out of a program array is given back twice",
    edit(
      SLOTS,
      "if (before !== undefined) this.onHold(before, false);",
      "if (before !== undefined) this.onHold(before, false); if (before !== undefined && thing === undefined) this.onHold(before, false);",
    ),
  ),
  bug(
    "cleared-slots-kept",
    "objects",
    "bpf_fd_array_map_clear",
    "what a program array held when it is cleared is not given back",
    edit(SLOTS, "for (const thing of things) this.onHold(thing, false);", ""),
  ),
  bug(
    "id-freed-too-early",
    "objects",
    "bpf_map_free_id before the last reference, 2017",
    "a map's id is given up while one reference is left",
    edit(
      OBJECTS,
      "if (this.#references > 0) return;",
      'if (this.#references === 1 && this.kind === "map") this.registry.leave(this); if (this.#references > 0) return;',
    ),
  ),
  bug(
    "id-never-freed",
    "objects",
    "ids of objects that are gone, 2017",
    "the id of a program that was freed still stands for it",
    edit(OBJECTS, "this.registry.leave(this);", 'if (this.kind !== "program") this.registry.leave(this);'),
  ),
  bug(
    "id-used-again",
    "objects",
    "ids that are used again (idr_alloc_cyclic), 2017",
    "a new object gets an id by how many there are",
    edit(OBJECTS, "this.#lastIds[kind] += 1;", "this.#lastIds[kind] = this.#objects[kind].size + 1;"),
  ),
];
