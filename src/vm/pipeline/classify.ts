/** The programs of traffic control on one way through a device: tcx, then the classifiers of clsact with their actions. */
import type { Clone, Redirect } from "../effects.ts";
import type { Environment } from "../environment.ts";
import type { Machine } from "../machine.ts";
import { passBuffer } from "./context.ts";
import type { Action, Classifier, Device } from "./device.ts";
import type { Exit } from "./exit.ts";
import type { Buffered } from "./flight.ts";
import { directVerdict, TC_ACT, type TrafficVerdict, tcxVerdict, trafficVerdict } from "./verdicts.ts";

export interface Classification {
  readonly verdict: Exclude<TrafficVerdict, "again"> | "fault";
  readonly flight: Buffered;
  readonly redirect: Redirect | undefined;
  /** The hook, program and value that decided. */
  readonly by: Pick<Exit, "why" | "program" | "value" | "fault">;
  readonly printed: readonly string[];
}

/** How often an action may have the classifiers asked again, before the packet is dropped. */
const MOST_ROUNDS = 16;
const MINOR = 0xffff;
/** What a classifier returns whose class is the one that it was given. */
const OWN_CLASS = 0xffff_ffff;

/** @param send  is given the copies that programs send, as they are sent */
export function classify(
  device: Device,
  way: "ingress" | "egress",
  flight: Buffered,
  environment: Environment,
  send: (clone: Clone) => void,
): Classification {
  return new Classify(device, way, flight, environment, send).all();
}

class Classify {
  readonly #device: Device;
  readonly #way: "ingress" | "egress";
  readonly #environment: Environment;
  readonly #send: (clone: Clone) => void;
  readonly #printed: string[] = [];
  #flight: Buffered;
  #redirect: Redirect | undefined;
  #by: Classification["by"] = {};

  constructor(
    device: Device,
    way: "ingress" | "egress",
    flight: Buffered,
    environment: Environment,
    send: (clone: Clone) => void,
  ) {
    this.#device = device;
    this.#way = way;
    this.#flight = flight;
    this.#environment = environment;
    this.#send = send;
  }

  all(): Classification {
    const tcx = this.#tcx();
    const verdict = tcx === "continue" ? this.#clsact() : tcx;
    return {
      verdict,
      flight: this.#flight,
      redirect: this.#redirect,
      by: this.#by,
      printed: this.#printed,
    };
  }

  /** Runs a program on the packet; nothing if it faults. */
  #run(machine: Machine, hook: string): number | undefined {
    const view = { from: "link", ifindex: this.#device.ifindex } as const;
    const passage = passBuffer(machine, this.#flight, view, this.#environment);
    this.#printed.push(...passage.printed);
    this.#by = { why: `${hook} ${this.#way}`, program: machine.loaded.program.name };
    if (passage.outcome === "fault") {
      this.#by = { ...this.#by, fault: passage.fault };
      return undefined;
    }
    this.#by = { ...this.#by, value: passage.value };
    this.#flight = passage.flight;
    if (passage.effects.redirect !== undefined) this.#redirect = passage.effects.redirect;
    for (const clone of passage.effects.clones) this.#send(clone);
    return passage.value;
  }

  /** The packet is of the class that has been found. */
  #settle(): void {
    const { buffer } = this.#flight;
    this.#classed(buffer.tcClassid, buffer.tcClassid & MINOR);
  }

  #classed(tcClassid: number, tcIndex = this.#flight.buffer.tcIndex): void {
    this.#flight = { ...this.#flight, buffer: { ...this.#flight.buffer, tcClassid, tcIndex } };
  }

  #tcx(): Classification["verdict"] {
    for (const machine of this.#device[this.#way].tcx) {
      const value = this.#run(machine, "tcx");
      if (value === undefined) return "fault";
      const verdict = tcxVerdict(value);
      if (verdict === "next") continue;
      if (verdict === "ok") this.#settle();
      return verdict === "again" ? "continue" : verdict;
    }
    return "continue";
  }

  #clsact(): Classification["verdict"] {
    for (let round = 0; round <= MOST_ROUNDS; round += 1) {
      const verdict = this.#round();
      if (verdict !== "again") return verdict;
    }
    return "drop";
  }

  #round(): TrafficVerdict | "fault" {
    for (const classifier of this.#device[this.#way].clsact) {
      this.#classed(classifier.classid & MINOR);
      const value = this.#run(classifier.machine, "clsact");
      if (value === undefined) return "fault";
      const verdict = classifier.direct ? directVerdict(value) : this.#matched(classifier, value);
      if (verdict === undefined) continue;
      if (verdict === "ok" && classifier.direct) this.#settle();
      return verdict;
    }
    return "continue";
  }

  /** A classifier that does not act itself: whether it matched, and what its actions say. */
  #matched(classifier: Classifier, value: number): TrafficVerdict | "fault" | undefined {
    if (value === 0) return undefined;
    const classid = value === OWN_CLASS ? classifier.classid : value;
    const verdict = this.#act(classifier.actions);
    if (verdict === "ok" || verdict === "again")
      this.#classed(this.#flight.buffer.tcClassid, classid & MINOR);
    return verdict;
  }

  /** The actions in order, as long as they hand on to the next. */
  #act(actions: readonly Action[]): TrafficVerdict | "fault" | undefined {
    for (const action of actions) {
      const value = action.kind === "verdict" ? action.verdict : this.#actionProgram(action);
      if (value === undefined) return "fault";
      if (value === TC_ACT.unspec) return undefined;
      if (value !== TC_ACT.pipe) return trafficVerdict(value);
    }
    return actions.length === 0 ? "ok" : "continue";
  }

  /** What an action's program returns, of the verdicts that such may return. */
  #actionProgram({ machine, verdict }: Action & { readonly kind: "program" }): number | undefined {
    const value = this.#run(machine, "action");
    switch (value) {
      case TC_ACT.unspec:
        return verdict;
      case undefined:
      case TC_ACT.ok:
      case TC_ACT.reclassify:
      case TC_ACT.shot:
      case TC_ACT.pipe:
      case TC_ACT.redirect:
        return value;
      default:
        return TC_ACT.unspec;
    }
  }
}
