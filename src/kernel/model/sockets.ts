/** Actions on sockets: pairs that pass descriptors, and sockets with a filter. Each keeps the network namespace it was made in. */
import { EAGAIN, EBADF, ENOENT } from "../../vm/errno.ts";
import type { SocketAction } from "./actions.ts";
import type { Step } from "./step.ts";

const EPIPE = -32;
const ECONNRESET = -104;

export function actOnSocket<B, V>(step: Step<B, V>, action: SocketAction): void {
  const { and, messages, not, or, truth, write } = step.reading;
  const { process } = action;
  const home = (socket: V): void => step.write({ of: "home", socket }, step.read({ of: "network", process }));
  switch (action.do) {
    case "socketpair": {
      const [one, other] = [step.made("unix"), step.made("unix")];
      step.write({ of: "peer", socket: one }, other);
      step.write({ of: "peer", socket: other }, one);
      home(one);
      home(other);
      step.install(process, one);
      step.install(process, other);
      return step.conclude();
    }
    case "send": {
      const socket = step.socket(process, action.fd, "unix");
      const object = step.fd(process, action.value);
      step.refuse(step.isNothing(object), EBADF);
      const peer = step.read({ of: "peer", socket });
      step.refuse(step.isNothing(peer), EPIPE);
      let put = truth(false);
      for (const index of messages(peer)) {
        const place = { of: "message", socket: peer, index } as const;
        const free = and(not(put), step.isNothing(step.read(place)));
        write(and(step.open, free), place, object);
        put = or(put, free);
      }
      return step.refuse(put, 1);
    }
    case "receive": {
      const socket = step.socket(process, action.fd, "unix");
      const first = step.read({ of: "message", socket, index: 0 });
      step.where(not(step.isNothing(first)), () => {
        const places = messages(socket).map((index) => ({ of: "message", socket, index }) as const);
        for (const [index, place] of places.entries()) {
          const next = places[index + 1];
          if (next === undefined) step.clear(place);
          else step.write(place, step.read(next));
        }
        step.install(process, first);
        step.conclude(1);
      });
      const reset = { of: "reset", socket } as const;
      step.where(not(step.isNothing(step.read(reset))), () => {
        step.clear(reset);
        step.conclude(ECONNRESET);
      });
      step.refuse(step.isNothing(step.read({ of: "peer", socket })), 0);
      return step.conclude(EAGAIN);
    }
    case "socket":
      return step.make(process, "udp", home);
    case "filter": {
      const socket = step.socket(process, action.fd, "udp");
      const program = step.program(process, action.value, "filter");
      step.write({ of: "filter", socket }, program);
      return step.conclude();
    }
    case "unfilter": {
      const filter = { of: "filter", socket: step.socket(process, action.fd, "udp") } as const;
      step.refuse(step.isNothing(step.read(filter)), ENOENT);
      step.clear(filter);
      return step.conclude();
    }
  }
}
