/** Maps that hold programs take those of one kind alone: that of the first program that refers to the map or is put into it. */
import type { Program } from "../../semantics/program/program.ts";

interface Kind {
  readonly type: Program["type"];
  readonly attach: string;
  readonly hasFragments: boolean;
}

export class Owner {
  /** Whether what programs attach to has to be the same as well. */
  readonly #byAttachment: boolean;
  #kind: Kind | undefined;

  constructor(byAttachment: boolean) {
    this.#byAttachment = byAttachment;
  }

  /** Whether the program may use the map and lie in it; the first one always may. */
  accepts({ type, attach, flags }: Program): boolean {
    // The attachment of number 0 is that of programs that name none.
    const own = attach === undefined || attach === "cgroup_inet_ingress" ? "" : attach;
    const kind = { type, attach: own, hasFragments: flags.includes("xdp_has_frags") };
    this.#kind ??= kind;
    return (
      this.#kind.type === kind.type &&
      this.#kind.hasFragments === kind.hasFragments &&
      (!this.#byAttachment || this.#kind.attach === kind.attach)
    );
  }
}
