/** Steps on objects that the program allocates: made, written, counted, put into lists, trees and map values, taken out, dropped. */
import { drawer, type Emit, immediate, type Writer } from "./context.ts";
import { blockLength } from "./flow.ts";
import { type Held, NOTHING, NUMBER } from "./held.ts";
import { special } from "./objects.ts";
import { NODE, PLAIN, ROOTS } from "./types.ts";

const may = (w: Writer): boolean => !w.locked && w.held < 2 && w.abilities.mayCall("bpf_obj_new_impl");

const object = (size: number, life: number): Held => ({
  kind: "memory",
  size,
  writable: true,
  life,
  plain: false,
});

/** A new object, in a register that keeps it; those for whom there is no memory give up. */
function make(w: Writer, choice: number, id: number): number | undefined {
  const { draft } = w;
  const register = w.saved(choice);
  if (register === undefined) return undefined;
  draft.emit("mov64_imm", { dst: 1, imm: id });
  draft.emit("mov64_imm", { dst: 2, imm: 0 });
  w.callKfunc("bpf_obj_new_impl", NOTHING);
  w.giveUp("jeq64_imm", { dst: 0, imm: 0 });
  draft.emit("mov64_reg", { dst: register, src: 0 });
  draft.set(register, NOTHING);
  return register;
}

function dropObject(w: Writer, register: number): void {
  w.draft.emit("mov64_reg", { dst: 1, src: register });
  w.draft.emit("mov64_imm", { dst: 2, imm: 0 });
  w.callKfunc("bpf_obj_drop_impl", NOTHING);
}

/** An object over some steps, and dropped; one that is counted may have been acquired once more in between. */
export const owned: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (!may(w)) return;
  const counted = c % 3 === 0;
  const register = make(w, a, counted ? NODE.id : PLAIN.id);
  if (register === undefined) return;
  draft.emit("stdw", { dst: register, off: 0, imm: immediate(b) });
  const life = draft.id();
  // Of a node the number alone may be looked at.
  draft.set(register, object(counted ? 8 : PLAIN.size, life));
  w.reserved.add(register);
  w.hold(blockLength(c >> 2), () => {
    if (counted && (c >> 4) % 2 === 0) {
      draft.emit("mov64_reg", { dst: 1, src: register });
      draft.emit("mov64_imm", { dst: 2, imm: 0 });
      w.callKfunc("bpf_refcount_acquire_impl", NOTHING);
      const over = draft.label();
      draft.jump("jeq64_imm", over, { dst: 0, imm: 0 });
      dropObject(w, 0);
      draft.place(over);
    }
    dropObject(w, register);
    draft.ended(life);
    w.reserved.delete(register);
  });
};

/** One of the objects that each processor has. */
export const ownedEach: Emit = (w, { a, c }) => {
  const { draft } = w;
  const register = w.saved(a);
  if (!may(w) || register === undefined || !w.abilities.mayCall("bpf_percpu_obj_new_impl")) return;
  draft.emit("mov64_imm", { dst: 1, imm: PLAIN.id });
  draft.emit("mov64_imm", { dst: 2, imm: 0 });
  w.callKfunc("bpf_percpu_obj_new_impl", NOTHING);
  w.giveUp("jeq64_imm", { dst: 0, imm: 0 });
  draft.emit("mov64_reg", { dst: register, src: 0 });
  draft.set(register, NOTHING);
  w.reserved.add(register);
  w.hold(blockLength(c), () => {
    draft.emit("mov64_reg", { dst: 1, src: register });
    draft.emit("mov64_imm", { dst: 2, imm: 0 });
    w.callKfunc("bpf_percpu_obj_drop_impl", NOTHING);
    w.reserved.delete(register);
  });
  if (!w.has("this_cpu_ptr")) return;
  draft.emit("mov64_reg", { dst: 1, src: register });
  w.call("this_cpu_ptr", NOTHING);
  draft.set(0, object(PLAIN.size, draft.id()));
};

/** An object goes into a map's value; what was there comes out, and is dropped. */
export const exchanged: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (!may(w) || !w.has("kptr_xchg")) return;
  const value = special(w, "kept", a);
  if (value === undefined) return;
  w.reserved.add(value);
  if (c % 3 === 0) draft.emit("mov64_imm", { dst: 2, imm: 0 });
  else {
    const register = make(w, b, PLAIN.id);
    if (register === undefined) {
      w.reserved.delete(value);
      return;
    }
    draft.emit("stdw", { dst: register, off: 8 * (b % 4), imm: immediate(c) });
    draft.emit("mov64_reg", { dst: 2, src: register });
  }
  draft.emit("mov64_reg", { dst: 1, src: value });
  w.call("kptr_xchg", NOTHING);
  w.reserved.delete(value);
  const over = draft.label();
  draft.jump("jeq64_imm", over, { dst: 0, imm: 0 });
  draft.emit("ldxdw", { dst: 1, src: 0, off: 8 * (c % 4) });
  if ((c >> 3) % 16 !== 15) dropObject(w, 0);
  draft.place(over);
  draft.called(NOTHING);
};

/** The pointers to a root and to an object's place in it. */
function link(w: Writer, value: number, root: number, register: number, place: number): void {
  w.draft.emit("mov64_reg", { dst: 1, src: value });
  w.draft.emit("add64_imm", { dst: 1, imm: root });
  w.draft.emit("mov64_reg", { dst: 2, src: register });
  w.draft.emit("add64_imm", { dst: 2, imm: place });
}

function lockOf(w: Writer, value: number, helper: "spin_lock" | "spin_unlock"): void {
  w.draft.emit("mov64_reg", { dst: 1, src: value });
  w.call(helper, NOTHING);
}

/** An object is put into a list or a tree. */
export const put: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (!may(w) || !w.isMain || !w.abilities.mayLock) return;
  const value = special(w, "roots", a);
  if (value === undefined) return;
  w.reserved.add(value);
  const register = make(w, b, NODE.id);
  w.reserved.delete(value);
  if (register === undefined) return;
  draft.emit("stdw", { dst: register, off: 0, imm: b % 64 });
  lockOf(w, value, "spin_lock");
  if (c % 2 === 0) {
    link(w, value, ROOTS.list, register, NODE.list);
    draft.emit("mov64_imm", { dst: 3, imm: 0 });
    draft.emit("mov64_imm", { dst: 4, imm: 0 });
    w.callKfunc((c >> 1) % 2 === 0 ? "bpf_list_push_front_impl" : "bpf_list_push_back_impl", NOTHING);
  } else {
    link(w, value, ROOTS.tree, register, NODE.tree);
    draft.jump("ld_imm64_func", w.function("less"), { dst: 3 });
    draft.emit("mov64_imm", { dst: 4, imm: 0 });
    draft.emit("mov64_imm", { dst: 5, imm: 0 });
    w.callKfunc("bpf_rbtree_add_impl", NOTHING);
  }
  // Nobody owns it any more, but while the lock is held it is there.
  if ((c >> 2) % 2 === 0) draft.emit("ldxdw", { dst: 1, src: register, off: 0 });
  lockOf(w, value, "spin_unlock");
  draft.called(NOTHING);
};

/** An object is taken out of a list or a tree, looked at, and dropped. */
export const take: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (!may(w) || !w.abilities.mayLock) return;
  const value = special(w, "roots", a);
  if (value === undefined) return;
  w.reserved.add(value);
  const register = w.saved(b);
  w.reserved.delete(value);
  if (register === undefined) return;
  const tree = c % 2 === 1;
  const [over, none] = [draft.label(), draft.label()];
  lockOf(w, value, "spin_lock");
  const root = (): void => {
    draft.emit("mov64_reg", { dst: 1, src: value });
    draft.emit("add64_imm", { dst: 1, imm: tree ? ROOTS.tree : ROOTS.list });
  };
  root();
  if (tree) {
    w.callKfunc((c >> 1) % 2 === 0 ? "bpf_rbtree_first" : "bpf_rbtree_root", NOTHING);
    draft.jump("jeq64_imm", none, { dst: 0, imm: 0 });
    draft.emit("mov64_reg", { dst: 2, src: 0 });
    root();
    w.callKfunc("bpf_rbtree_remove", NOTHING);
  } else w.callKfunc((c >> 1) % 2 === 0 ? "bpf_list_pop_front" : "bpf_list_pop_back", NOTHING);
  draft.emit("mov64_reg", { dst: register, src: 0 });
  lockOf(w, value, "spin_unlock");
  draft.jump("jeq64_imm", over, { dst: register, imm: 0 });
  draft.emit("sub64_imm", { dst: register, imm: tree ? NODE.tree : NODE.list });
  draft.emit("ldxdw", { dst: 1, src: register, off: 0 });
  dropObject(w, register);
  draft.jump("goto", over);
  draft.place(none);
  // Where the tree is empty, the lock is still held.
  if (tree) lockOf(w, value, "spin_unlock");
  draft.place(over);
  draft.set(register, NOTHING);
  draft.called(NOTHING);
};

/** The first of a list or tree is looked at while the lock is held. */
export const peek: Emit = (w, { a, c }) => {
  const { draft } = w;
  if (!may(w) || !w.abilities.mayLock) return;
  const value = special(w, "roots", a);
  if (value === undefined) return;
  const tree = c % 2 === 1;
  lockOf(w, value, "spin_lock");
  draft.emit("mov64_reg", { dst: 1, src: value });
  draft.emit("add64_imm", { dst: 1, imm: tree ? ROOTS.tree : ROOTS.list });
  const which = (c >> 1) % 2 === 0;
  w.callKfunc(
    tree ? (which ? "bpf_rbtree_first" : "bpf_rbtree_root") : which ? "bpf_list_front" : "bpf_list_back",
    NOTHING,
  );
  const none = draft.label();
  draft.jump("jeq64_imm", none, { dst: 0, imm: 0 });
  draft.emit("ldxdw", { dst: 2, src: 0, off: -(tree ? NODE.tree : NODE.list) });
  draft.place(none);
  lockOf(w, value, "spin_unlock");
  draft.called(NOTHING);
};

/** The program is left from wherever it is, if a number is what it rarely is. */
export const thrown: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (w.locked || w.held > 0 || !w.abilities.mayCall("bpf_throw")) return;
  const tested = w.number(a);
  if (tested === undefined) return;
  const draw = drawer(c);
  const over = draft.label();
  draft.jump("jne64_imm", over, { dst: tested, imm: immediate(b) });
  const known = draft.snapshot();
  draft.emit("mov64_imm", { dst: 1, imm: draw(2) });
  w.callKfunc("bpf_throw", NUMBER);
  draft.know = known;
  draft.place(over);
};
