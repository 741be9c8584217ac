/** For every state of a scope that satisfies the invariants, not only for those that were reached: they hold after any one action. `scripts/lifetimes.ts` does the same in larger scopes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Action } from "../../src/kernel/model/actions.ts";
import { startZ3, type Z3 } from "../../src/semantics/term/z3.ts";
import { FAULTS } from "./faults.ts";
import { denied, stepOf } from "./invariants.ts";
import { actions } from "./scope-actions.ts";
import { BINDS, CGROUPS, HOLDERS, HOOKS, MOUNTS, NAMESPACES, SMALL, SOCKETS } from "./scopes.ts";
import type { Scope } from "./symbolic.ts";

let z3: Z3;
beforeAll(async () => {
  z3 = await startZ3();
});
afterAll(async () => {
  await z3.stop();
});

const MINUTE = 60_000;

/** Descriptors are alike: one, and another one where an action has two. */
const some = actions(SMALL).filter((action) => !("fd" in action && action.fd === 1));

describe("counting finds what cannot be reached, for all states of the scope", () => {
  it.each(some.map((action) => [JSON.stringify(action), action] as const))(
    "%s",
    async (_, action) => {
      const step = stepOf(SMALL, action);
      // Otherwise all else would hold for no reason.
      expect((await z3.solve(step.premises, MINUTE)).result).toBe("sat");
      expect((await z3.solve(denied(step), MINUTE)).result).toBe("unsat");
    },
    MINUTE,
  );
});

/** One action of each of the larger scopes; `scripts/lifetimes.ts induction` does all. */
const others: readonly (readonly [string, Scope, Action])[] = [
  ["a socket that may lie in its own messages goes", SOCKETS, { do: "close", process: 1, fd: 0 }],
  ["a socket gets a program", HOLDERS, { do: "filter", process: 1, fd: 0, value: 1 }],
  ["a list gets a link", HOOKS, { do: "list_link", process: 1, index: 2, fd: 0, hook: "list" }],
  ["a process leaves a network namespace", NAMESPACES, { do: "unshare_net", process: 1 }],
];

describe("sockets, hooks, and what they hold", () => {
  it.each(others)(
    "%s",
    async (_, scope, action) => {
      const step = stepOf(scope, action);
      expect((await z3.solve(step.premises, MINUTE)).result).toBe("sat");
      expect((await z3.solve(denied(step), MINUTE)).result).toBe("unsat");
    },
    MINUTE,
  );
});

/** Of the scopes with namespaces, cgroups and mounts those that take about a second; the script does all. */
const refutable = FAULTS.filter(
  ({ quick, scope }) =>
    quick === true || ![NAMESPACES, CGROUPS, MOUNTS, BINDS].some((each) => each === scope),
);

describe("a wrong way of counting is refuted", () => {
  it.each(
    refutable.map(
      ({ fault, shownBy, scope = SMALL }) => [JSON.stringify(fault), fault, shownBy, scope] as const,
    ),
  )(
    "%s",
    async (_, fault, action, scope) => {
      expect((await z3.solve(denied(stepOf(scope, action, fault)), MINUTE)).result).toBe("sat");
    },
    MINUTE,
  );
});
