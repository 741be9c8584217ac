/**
 * Actions on cgroups. Each attach type of a cgroup has a list; as long as something is in it, the list is one for a single program, for one that cgroups below may override, or for
 * several. What is attached alone is held by the cgroup until its directory goes; where there are several, a program is in the list once alone, and by as many links as there are.
 */
import { E2BIG, EBADF, EBUSY, EEXIST, EINVAL, ENOENT, EPERM } from "../../vm/errno.ts";
import type { CgroupAction, ListMode } from "./actions.ts";
import type { Mark, Reading } from "./reading.ts";
import type { Step } from "./step.ts";

/** How many programs a list has room for. */
const MOST = 64;

/** The directories that there may be. */
const directories = <B, V>({ roots }: Reading<B, V>) =>
  roots().flatMap((root) => (root.of === "listed" ? [root] : []));

/** The path of the cgroup above. */
const above = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("/"), 0));

export function actOnCgroup<B, V>(step: Step<B, V>, action: CgroupAction): void {
  const { not, same, truth } = step.reading;
  const { process } = action;
  switch (action.do) {
    case "cgroup_create": {
      const { path } = action;
      step.refuse(not(step.isNothing(step.read({ of: "listed", path }))), EEXIST);
      const parent = step.read({ of: "listed", path: above(path) });
      step.refuse(step.isNothing(parent), ENOENT);
      const cgroup = step.made("cgroup");
      step.write({ of: "parent", cgroup }, parent);
      step.write({ of: "listed", path }, cgroup);
      return step.conclude();
    }
    case "cgroup_remove": {
      const { path } = action;
      const cgroup = step.read({ of: "listed", path });
      step.refuse(step.isNothing(cgroup), ENOENT);
      const hasChildren = step.any(directories(step.reading), (place) =>
        same(step.read({ of: "parent", cgroup: step.read(place) }), cgroup),
      );
      step.refuse(hasChildren, EBUSY);
      step.refuse(truth(path === ""), EBUSY);
      // What is attached to it goes then: see `settle`.
      step.clear({ of: "listed", path });
      return step.conclude();
    }
    case "cgroup_open": {
      const cgroup = step.read({ of: "listed", path: action.path });
      step.refuse(step.isNothing(cgroup), ENOENT);
      return step.give(process, cgroup);
    }
    case "cgroup_attach": {
      const program = step.program(process, action.fd, "cgroup_skb");
      const at = cgroupOf(step, process, action.cgroup);
      const { hook, mode } = action;
      prepare(step, at, hook, mode);
      if (mode === "multi") {
        const alone = (point: string): B => same(step.at(at, point).alone, program);
        step.refuse(step.any(step.reading.pointsOf(at, hook), alone), EINVAL);
      } else clear(step, at, hook);
      step.enlist(at, hook, "attachment", program);
      return step.conclude();
    }
    case "cgroup_link": {
      const program = step.program(process, action.fd, "cgroup_skb");
      const at = cgroupOf(step, process, action.cgroup);
      prepare(step, at, action.hook, "multi");
      return step.makeLink(process, program, (link) => step.enlist(at, action.hook, "standing", link));
    }
    case "cgroup_replace":
      return replace(step, action);
    case "cgroup_detach":
      return detach(step, action);
  }
}

/** The cgroup that a descriptor stands for: its directory may be gone. */
function cgroupOf<B, V>(step: Step<B, V>, process: number, fd: number): V {
  const { is, not } = step.reading;
  const cgroup = step.fd(process, fd);
  step.refuse(not(is(cgroup, "cgroup")), EBADF);
  step.refuse(not(isListed(step.reading, cgroup)), ENOENT);
  return cgroup;
}

/** Whether a cgroup has its directory. */
export const isListed = <B, V>(reading: Reading<B, V>, cgroup: V): B =>
  directories(reading).reduce(
    (sum, place) => reading.or(sum, reading.same(reading.read(place), cgroup)),
    reading.truth(false),
  );

const isEmpty = <B, V>(step: Step<B, V>, at: V, hook: string): B =>
  step.reading.not(
    step.any(step.reading.pointsOf(at, hook), (point) => step.reading.not(step.at(at, point).empty)),
  );

const marked = <B, V>(step: Step<B, V>, at: V, hook: string, mark: Mark): B =>
  step.reading.not(step.isNothing(step.read({ of: "mark", at, hook, mark })));

const MARKS = ["multi", "override"] as const;

/** All attaching to a list has the mode that it has; and the cgroups above have to allow it. */
function prepare<B, V>(step: Step<B, V>, at: V, hook: string, mode: ListMode): void {
  const { and, nothing, not, truth } = step.reading;
  step.refuse(not(isAllowed(step, at, hook)), EPERM);
  const differs = step.any(MARKS, (mark) => {
    const has = marked(step, at, hook, mark);
    return mark === mode ? not(has) : has;
  });
  step.refuse(and(not(isEmpty(step, at, hook)), differs), EPERM);
  // One of them is free.
  step.refuse(truth(step.reading.pointsOf(at, hook).length > MOST), E2BIG);
  for (const mark of MARKS) step.write({ of: "mark", at, hook, mark }, mark === mode ? at : nothing);
}

/** Whether the cgroups above leave it to this one what runs: the first that has anything says so. */
function isAllowed<B, V>(step: Step<B, V>, cgroup: V, hook: string): B {
  const { and, not, ofKind, or, truth } = step.reading;
  let [refused, undecided] = [truth(false), truth(true)];
  let at = cgroup;
  for (const _ of ofKind("cgroup")) {
    at = step.read({ of: "parent", cgroup: at });
    const [multi, override] = [marked(step, at, hook, "multi"), marked(step, at, hook, "override")];
    const some = not(isEmpty(step, at, hook));
    refused = or(refused, and(undecided, and(some, not(or(multi, override)))));
    undecided = and(undecided, not(some));
  }
  return not(refused);
}

function clear<B, V>(step: Step<B, V>, at: V, hook: string): void {
  for (const point of step.reading.pointsOf(at, hook)) step.clear({ of: "attachment", at, point });
}

/** BPF_PROG_ATTACH with BPF_F_ALLOW_MULTI and BPF_F_REPLACE. */
function replace<B, V>(
  step: Step<B, V>,
  { process, cgroup, fd, hook, old }: Extract<CgroupAction, { do: "cgroup_replace" }>,
): void {
  const { and, not, pointsOf, same } = step.reading;
  const program = step.program(process, fd, "cgroup_skb");
  const at = cgroupOf(step, process, cgroup);
  const before = step.program(process, old, "cgroup_skb");
  prepare(step, at, hook, "multi");
  const points = pointsOf(at, hook);
  const isThere = step.any(points, (point) => same(step.at(at, point).alone, program));
  step.refuse(and(isThere, not(same(program, before))), EINVAL);
  for (const point of points) {
    step.where(same(step.at(at, point).alone, before), () => {
      step.write({ of: "attachment", at, point }, program);
      step.conclude();
    });
  }
  step.conclude(ENOENT);
}

/** BPF_PROG_DETACH: from a list of several the program that is named, else whatever is there. */
function detach<B, V>(
  step: Step<B, V>,
  {
    process,
    cgroup,
    fd,
    hook,
  }: { readonly process: number; readonly cgroup: number; readonly fd: number; readonly hook: string },
): void {
  const { is, not, pointsOf, same } = step.reading;
  const at = cgroupOf(step, process, cgroup);
  step.where(not(marked(step, at, hook, "multi")), () => {
    step.refuse(isEmpty(step, at, hook), ENOENT);
    clear(step, at, hook);
    step.conclude();
  });
  const program = step.fd(process, fd);
  step.refuse(not(is(program, "cgroup_skb")), EINVAL);
  for (const point of pointsOf(at, hook)) {
    step.where(same(step.at(at, point).alone, program), () => {
      step.clear({ of: "attachment", at, point });
      step.conclude();
    });
  }
  step.conclude(ENOENT);
}
