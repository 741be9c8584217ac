/**
 * Actions on hooks of devices: XDP, where one program is or a link stands; tcx, where a hook is a list in which each program is once; filters of a clsact discipline, each at a point by
 * direction, priority and handle.
 */
import { EBADF, EBUSY, EEXIST, EINVAL, ENODEV, ENOENT, ENOLINK, ERANGE } from "../../vm/errno.ts";
import { type HookAction, PROGRAM_KINDS } from "./actions.ts";
import type { Step } from "./step.ts";

/** How many programs a list has room for. */
const MOST = 64;

/** The hooks that a device loses with its namespace: all but XDP's. */
export const LISTS = ["tcx_ingress", "tcx_egress"] as const;
/** Under which a device's filters are. */
export const FILTERS = "filters";

/** Takes everything away that is at a hook. */
export function clearHook<B, V>(step: Step<B, V>, at: V, hook: string): void {
  for (const point of step.reading.pointsOf(at, hook)) {
    step.clear({ of: "attachment", at, point });
    step.clear({ of: "standing", at, point });
  }
}

/** A device of the process's namespace; where it is not there, this is the result. */
export function deviceOf<B, V>(step: Step<B, V>, process: number, index: number, otherwise = ENODEV): V {
  const network = step.read({ of: "network", process });
  const device = step.read({ of: "device", network, index });
  step.refuse(step.isNothing(device), otherwise);
  return device;
}

/** Whether a program is in a list, alone or by a link. */
function isListed<B, V>(step: Step<B, V>, at: V, hook: string, program: V): B {
  const { or, pointsOf, same } = step.reading;
  return step.any(pointsOf(at, hook), (point) => {
    const { alone, link } = step.at(at, point);
    return or(same(alone, program), same(step.read({ of: "target", link }), program));
  });
}

/** A list has each program once, and no more than it has room for; what the new one is to be beside has to be there. */
function refuseFurther<B, V>(
  step: Step<B, V>,
  at: V,
  program: V,
  { process, hook, beside }: { readonly process: number; readonly hook: string; readonly beside?: number },
): void {
  const { not, pointsOf, truth } = step.reading;
  step.refuse(isListed(step, at, hook, program), EEXIST);
  const anchor = beside === undefined ? undefined : step.program(process, beside, "classifier");
  // One of them is free.
  step.refuse(truth(pointsOf(at, hook).length > MOST), ERANGE);
  if (anchor !== undefined) step.refuse(not(isListed(step, at, hook, anchor)), ENOENT);
}

/** Whether the list of a device in which a link stands has a program, be it by this link. */
function standsBeside<B, V>(step: Step<B, V>, link: V, program: V): B {
  const { and, is, same, standings } = step.reading;
  return step.any(standings(), (standing) =>
    and(
      and(same(step.read(standing), link), is(standing.at, "device")),
      isListed(step, standing.at, standing.point.replace(/\/\d+$/, ""), program),
    ),
  );
}

/** BPF_LINK_UPDATE. */
function updateLink<B, V>(
  step: Step<B, V>,
  { process, fd, value }: { readonly process: number; readonly fd: number; readonly value: number },
): void {
  const { and, is, not, or, same, standings, truth } = step.reading;
  const link = step.ofKind(process, fd, "link");
  const program = step.fd(process, value);
  step.refuse(step.isNothing(program), EBADF);
  step.refuse(not(step.isOf(program, PROGRAM_KINDS)), EINVAL);
  step.refuse(not(step.any(standings(), (standing) => same(step.read(standing), link))), ENOLINK);
  const target = { of: "target", link } as const;
  const before = step.read(target);
  step.refuse(same(before, program), 0);
  const alike = PROGRAM_KINDS.reduce(
    (sum, kind) => or(sum, and(is(before, kind), is(program, kind))),
    truth(false),
  );
  step.refuse(not(alike), EINVAL);
  step.refuse(standsBeside(step, link, program), EEXIST);
  step.write(target, program);
  step.conclude();
}

export function actOnHook<B, V>(step: Step<B, V>, action: HookAction): void {
  const { is, not, pointsOf, same, standings } = step.reading;
  const { process } = action;
  switch (action.do) {
    case "attach": {
      const at = deviceOf(step, process, action.index);
      const program = step.program(process, action.fd, "program");
      const { point } = action;
      step.refuse(not(step.isNothing(step.at(at, point).link)), EBUSY);
      step.write({ of: "attachment", at, point }, program);
      return step.conclude();
    }
    case "detach": {
      const at = deviceOf(step, process, action.index);
      const { point } = action;
      step.refuse(not(step.isNothing(step.at(at, point).link)), EBUSY);
      step.clear({ of: "attachment", at, point });
      return step.conclude();
    }
    case "link": {
      const program = step.program(process, action.fd, "program");
      const at = deviceOf(step, process, action.index, EINVAL);
      const { point } = action;
      step.refuse(not(step.at(at, point).empty), EBUSY);
      return step.makeLink(process, program, (link) => step.write({ of: "standing", at, point }, link));
    }
    case "list": {
      const program = step.program(process, action.fd, "classifier");
      const at = deviceOf(step, process, action.index);
      refuseFurther(step, at, program, action);
      step.enlist(at, action.hook, "attachment", program);
      return step.conclude();
    }
    case "list_link": {
      const program = step.program(process, action.fd, "classifier");
      const at = deviceOf(step, process, action.index);
      refuseFurther(step, at, program, action);
      return step.makeLink(process, program, (link) => step.enlist(at, action.hook, "standing", link));
    }
    case "unlist": {
      const program = step.program(process, action.fd, "classifier");
      const at = deviceOf(step, process, action.index);
      for (const point of pointsOf(at, action.hook)) {
        const { alone, link } = step.at(at, point);
        step.refuse(same(step.read({ of: "target", link }), program), EBUSY);
        step.where(same(alone, program), () => {
          step.clear({ of: "attachment", at, point });
          step.conclude();
        });
      }
      return step.conclude(ENOENT);
    }
    case "relist": {
      const program = step.program(process, action.fd, "classifier");
      const at = deviceOf(step, process, action.index);
      const old = step.program(process, action.old, "classifier");
      step.refuse(isListed(step, at, action.hook, program), EEXIST);
      for (const point of pointsOf(at, action.hook)) {
        const { alone, link } = step.at(at, point);
        step.refuse(same(step.read({ of: "target", link }), old), EBUSY);
        step.where(same(alone, old), () => {
          step.write({ of: "attachment", at, point }, program);
          step.conclude();
        });
      }
      return step.conclude(ENOENT);
    }
    case "update_link":
      return updateLink(step, action);
    case "classify": {
      const filter = filterPlace(step, process, action);
      if (action.exclusive) step.refuse(not(step.isNothing(step.read(filter))), EEXIST);
      step.write(filter, step.program(process, action.fd, "classifier"));
      return step.conclude();
    }
    case "declassify": {
      const filter = filterPlace(step, process, action);
      step.refuse(step.isNothing(step.read(filter)), ENOENT);
      step.clear(filter);
      return step.conclude();
    }
    case "discipline": {
      const at = deviceOf(step, process, action.index);
      const there = disciplineOf(at);
      const has = not(step.isNothing(step.read(there)));
      if (action.manner === "exclusive") step.refuse(has, EEXIST);
      if (action.manner === "change") step.refuse(not(has), ENOENT);
      step.write(there, at);
      return step.conclude();
    }
    case "no_discipline": {
      const at = deviceOf(step, process, action.index);
      // ENOENT where there never was one: `unknownIn` says that this is not known.
      step.refuse(step.isNothing(step.read(disciplineOf(at))), EINVAL);
      leaveDiscipline(step, at);
      return step.conclude();
    }
    case "unlink_link": {
      const link = step.fd(process, action.fd);
      step.refuse(step.isNothing(link), EBADF);
      step.refuse(not(is(link, "link")), EINVAL);
      for (const standing of standings()) {
        const here = step.reading.and(step.open, same(step.read(standing), link));
        step.reading.write(here, standing, step.reading.nothing);
      }
      return step.conclude();
    }
  }
}

const disciplineOf = <V>(at: V) => ({ of: "mark", at, hook: FILTERS, mark: "clsact" }) as const;

/** A device's discipline and its filters go. */
export function leaveDiscipline<B, V>(step: Step<B, V>, at: V): void {
  clearHook(step, at, FILTERS);
  step.clear(disciplineOf(at));
}

function filterPlace<B, V>(
  step: Step<B, V>,
  process: number,
  { index, point }: { readonly index: number; readonly point: string },
): { readonly of: "attachment"; readonly at: V; readonly point: string } {
  const at = deviceOf(step, process, index);
  step.refuse(step.isNothing(step.read(disciplineOf(at))), EINVAL);
  return { of: "attachment", at, point };
}
