/** Actions on network namespaces, and on their devices, which come in pairs: neither is there without the other. */
import { EEXIST } from "../../vm/errno.ts";
import type { NetworkAction } from "./actions.ts";
import { clearHook, deviceOf, LISTS, leaveDiscipline } from "./hooks.ts";
import type { Reading } from "./reading.ts";
import type { Step } from "./step.ts";

/** Where this holds, a device is in no namespace any more. */
export function removeDevice<B, V>(reading: Reading<B, V>, when: B, device: V): void {
  const { and, edges, not, nothing, ofKind, read, same, write } = reading;
  const there = and(when, not(same(device, nothing)));
  for (const network of ofKind("network"))
    for (const place of edges(network)) write(and(there, same(read(place), device)), place, nothing);
}

export function actOnNetwork<B, V>(step: Step<B, V>, action: NetworkAction): void {
  const { not, same } = step.reading;
  const { process } = action;
  switch (action.do) {
    case "unshare_net":
      step.write({ of: "network", process }, step.made("network"));
      return step.conclude();
    case "open_net":
      return step.give(process, step.read({ of: "network", process }));
    case "enter_net":
      step.write({ of: "network", process }, step.ofKind(process, action.fd, "network"));
      return step.conclude();
    case "pair": {
      const network = step.read({ of: "network", process });
      const places = action.indices.map((index) => ({ of: "device", network, index }) as const);
      // Which error it is depends on names as well: `unknownIn` says that this is not known.
      for (const place of places) step.refuse(not(step.isNothing(step.read(place))), EEXIST);
      const devices = places.map(() => step.made("device"));
      for (const [at, device] of devices.entries()) {
        step.write({ of: "twin", device }, devices[1 - at] ?? step.reading.nothing);
        const place = places[at];
        if (place !== undefined) step.write(place, device);
      }
      return step.conclude();
    }
    case "delete_device": {
      const device = deviceOf(step, process, action.index);
      const twin = step.read({ of: "twin", device });
      removeDevice(step.reading, step.open, device);
      removeDevice(step.reading, step.open, twin);
      return step.conclude();
    }
    case "move_device": {
      const to = step.ofKind(process, action.fd, "network");
      const device = deviceOf(step, process, action.index);
      step.refuse(same(to, step.read({ of: "network", process })), 0);
      const place = { of: "device", network: to, index: action.index } as const;
      // The kernel takes another number then: `unknownIn` says that this is not known.
      step.refuse(not(step.isNothing(step.read(place))), EEXIST);
      for (const hook of LISTS) clearHook(step, device, hook);
      leaveDiscipline(step, device);
      removeDevice(step.reading, step.open, device);
      step.write(place, device);
      return step.conclude();
    }
  }
}
