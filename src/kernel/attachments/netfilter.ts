/**
 * Programs of a network namespace's netfilter hooks, by links alone. A link keeps its namespace until it is detached. At a hook a program's place is its priority, which nothing else there may
 * have. With defragmentation, hooks of the kernel's own come to two places of the family, at a priority of theirs, and go with the last link that asked for them.
 */
import { E2BIG, EAFNOSUPPORT, EBUSY, EOPNOTSUPP, EPROTO, ERANGE } from "../../vm/errno.ts";
import type { Target } from "../descriptors.ts";
import type { ProgramObject, Registry } from "../objects.ts";
import { type LinkDetails, LinkObject } from "./link.ts";

/** Families by their numbers (linux/netfilter.h): IPv4 and IPv6. */
const FAMILIES: readonly number[] = [2, 10];
/** Prerouting, input, forward, output, postrouting. */
const HOOKS = 5;
/** Where fragments are put together: prerouting and output. */
const DEFRAG_HOOKS: readonly number[] = [0, 3];
const DEFRAG_PRIORITY = -400;
/** BPF_F_NETFILTER_IP_DEFRAG */
const DEFRAG = 1;
const FIRST = -0x8000_0000;
const LAST = 0x7fff_ffff;
/** How much there may be at a hook. */
const MOST = 1024;

/** Where a program is to be. */
export interface Place {
  readonly family: number;
  readonly hook: number;
  readonly priority: number;
  /** 0 or `DEFRAG`. */
  readonly flags: number;
}

/** The hooks of one network namespace. */
export class NetfilterHooks {
  readonly #links = new Set<NetfilterLink>();

  /** Priorities that are taken at a hook. */
  #taken({ family, hook }: Place): readonly number[] {
    const places = [...this.#links].map(({ place }) => place).filter((each) => each.family === family);
    const defrag = DEFRAG_HOOKS.includes(hook) && places.some(({ flags }) => flags === DEFRAG);
    const own = places.filter((each) => each.hook === hook).map(({ priority }) => priority);
    return defrag ? [...own, DEFRAG_PRIORITY] : own;
  }

  /** @returns 0, or why nothing can be put there */
  #check(place: Place): number {
    const wrong = placeProblem(place);
    if (wrong !== 0) return wrong;
    const taken = this.#taken(place);
    // Asking for defragmentation brings the kernel's own first, if they are not there yet.
    if (taken.includes(place.priority)) return EBUSY;
    const further = place.flags === DEFRAG && DEFRAG_HOOKS.includes(place.hook);
    const others = further && !taken.includes(DEFRAG_PRIORITY) ? taken.length + 1 : taken.length;
    return others >= MOST ? E2BIG : 0;
  }

  /**
   * BPF_LINK_CREATE. @param namespace  whose hooks these are
   * @returns the link, or a negative error number
   */
  link(registry: Registry, namespace: Target, program: ProgramObject, place: Place): LinkObject | number {
    const wrong = this.#check(place);
    if (wrong !== 0) return wrong;
    const link = new NetfilterLink(registry, program, namespace, this, place);
    this.#links.add(link);
    return link;
  }

  remove(link: NetfilterLink): void {
    this.#links.delete(link);
  }
}

function placeProblem({ family, hook, priority, flags }: Place): number {
  if (!FAMILIES.includes(family)) return EAFNOSUPPORT;
  if (hook >= HOOKS) return EPROTO;
  if ((flags & ~DEFRAG) !== 0) return EOPNOTSUPP;
  if (priority === FIRST || priority === LAST) return ERANGE;
  return flags === DEFRAG && priority <= DEFRAG_PRIORITY ? ERANGE : 0;
}

class NetfilterLink extends LinkObject {
  readonly place: Place;
  readonly #hooks: NetfilterHooks;
  #network: Target | undefined;

  constructor(
    registry: Registry,
    program: ProgramObject,
    network: Target,
    hooks: NetfilterHooks,
    place: Place,
  ) {
    super(registry, "netfilter", program);
    this.place = place;
    this.#hooks = hooks;
    this.#network = network;
    network.holdUser();
  }

  override get network(): Target | undefined {
    return this.#network;
  }

  protected release(): void {
    const network = this.#network;
    this.#network = undefined;
    if (network === undefined) return;
    this.#hooks.remove(this);
    network.putUser();
  }

  override detach(): number {
    this.release();
    return 0;
  }

  override update(): number {
    return EOPNOTSUPP;
  }

  /** Also of a place where it is no more. */
  details(): LinkDetails {
    const { family, hook, priority, flags } = this.place;
    return [
      [16, family],
      [20, hook],
      [24, priority],
      [28, flags],
    ];
  }
}
