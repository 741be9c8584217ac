/**
 * What goes after every action: sockets that nobody can reach, and what lies in their messages; what namespaces had that are left; what is attached to cgroups without a directory; what program
 * arrays hold that nobody can change any more; all that cannot be reached.
 *
 * A socket goes in one of two ways, and the other one of its pair can tell them apart. Where nothing names it any more, it is closed: if messages wait in it, the other one hears of that.
 * Where only messages of sockets name it that nobody can reach either, it is collected: all their messages are taken out first, and the other one hears of an end alone.
 */
import { isListed } from "./cgroups.ts";
import { removeDevice } from "./networks.ts";
import type { Edge, Place, Reading } from "./reading.ts";

/** Whether one of the places names the object. */
function named<B, V>({ or, read, same, truth }: Reading<B, V>, places: readonly Place<V>[], object: V): B {
  return places.reduce((sum, place) => or(sum, same(read(place), object)), truth(false));
}

/** The places of all objects that are of this. */
const edgesOf = <B, V>({ edges, objects }: Reading<B, V>, of: Edge<V>["of"]): readonly Place<V>[] =>
  objects().flatMap((holder) => edges(holder).filter((edge) => edge.of === of));

/** The places of messages of all sockets. */
const messagePlaces = <B, V>(reading: Reading<B, V>): readonly Place<V>[] => edgesOf(reading, "message");

/** The places by which user space has an object: descriptors, messages, pins. */
export const userPlaces = <B, V>(reading: Reading<B, V>): readonly Place<V>[] => [
  ...reading.roots().filter(({ of }) => of === "fd" || of === "pin"),
  ...edgesOf(reading, "pin"),
  ...messagePlaces(reading),
];

/** Everything after an action. */
export function settle<B, V>(reading: Reading<B, V>): void {
  const { and, edges, end, not, nothing, ofKind, same, standings, read, write } = reading;
  closeSockets(reading);
  leaveNamespaces(reading);
  for (const cgroup of ofKind("cgroup")) clearUnlisted(reading, not(isListed(reading, cgroup)), cgroup);
  const users = userPlaces(reading);
  for (const array of ofKind("prog_array")) {
    const unused = not(named(reading, users, array));
    for (const edge of edges(array)) write(unused, edge, nothing);
  }
  for (const [object, reached] of alive(reading)) {
    release(reading, not(reached), object);
    for (const standing of standings())
      write(and(not(reached), same(read(standing), object)), standing, nothing);
    end(not(reached), object);
  }
  clearMarks(reading);
}

/** Where this holds, what an object holds is given up. */
export function release<B, V>({ edges, nothing, weak, write }: Reading<B, V>, when: B, object: V): void {
  for (const edge of edges(object)) write(when, edge, nothing);
  for (const place of weak(object)) write(when, place, nothing);
}

/** Namespaces without processes lose what they have; and whoever's twin goes that way, goes as well. */
function leaveNamespaces<B, V>(reading: Reading<B, V>): void {
  const { not, ofKind, read, truth } = reading;
  const holders = (["network", "device", "mounts", "files"] as const).flatMap((kind) => ofKind(kind));
  if (holders.length === 0) return;
  const reached = alive(reading);
  const lost = (object: V): B => not(reached.get(object) ?? truth(true));
  for (const device of ofKind("device")) removeDevice(reading, lost(device), read({ of: "twin", device }));
  for (const holder of holders) release(reading, lost(holder), holder);
}

/** Where this holds, a cgroup's directory is gone, and with it what is attached. */
export function clearUnlisted<B, V>(reading: Reading<B, V>, when: B, cgroup: V): void {
  const { edges, nothing, weak, write } = reading;
  for (const edge of edges(cgroup)) if (edge.of === "attachment") write(when, edge, nothing);
  for (const place of weak(cgroup)) write(when, place, nothing);
}

/** A cgroup's list that has become empty is of no kind. */
export function clearMarks<B, V>(reading: Reading<B, V>): void {
  const { and, nothing, ofKind, pointsOf, read, same, truth, weak, write } = reading;
  for (const at of ofKind("cgroup")) {
    for (const place of weak(at)) {
      if (place.of !== "mark") continue;
      const places = pointsOf(at, place.hook).flatMap((point) => [
        { of: "attachment", at, point } as const,
        { of: "standing", at, point } as const,
      ]);
      const empty = places.reduce((all, one) => and(all, same(read(one), nothing)), truth(true));
      write(empty, place, nothing);
    }
  }
}

/** Sockets that cannot be reached lose what lies in them: one after the other those that nothing names, then all the others at once. */
function closeSockets<B, V>(reading: Reading<B, V>): void {
  const { and, not, ofKind, truth } = reading;
  const sockets = ofKind("unix");
  if (sockets.length === 0) return;
  const reached = alive(reading);
  const lost = (socket: V): B => not(reached.get(socket) ?? truth(true));
  // Each may be all that named the next one.
  for (const _ of sockets) {
    for (const socket of sockets) {
      const left = and(lost(socket), not(named(reading, messagePlaces(reading), socket)));
      closeSocket(reading, left, socket, true);
    }
  }
  for (const socket of sockets) closeSocket(reading, lost(socket), socket, false);
}

/** Where this holds, a socket that is a constant goes. @param tell  the other one, that messages wait in it */
export function closeSocket<B, V>(reading: Reading<B, V>, when: B, socket: V, tell: boolean): void {
  const { and, not, nothing, read, same, write } = reading;
  const peer = read({ of: "peer", socket });
  const paired = and(when, not(same(peer, nothing)));
  const waiting = not(same(read({ of: "message", socket, index: 0 }), nothing));
  if (tell) write(and(paired, waiting), { of: "reset", socket: peer }, peer);
  write(paired, { of: "peer", socket: peer }, nothing);
  release(reading, when, socket);
}

/** Each object, and whether it can be reached from a root. */
export function alive<B, V>(reading: Reading<B, V>): ReadonlyMap<V, B> {
  const { and, edges, objects, or, roots, truth } = reading;
  const all = objects();
  let reached = new Map(all.map((object) => [object, named(reading, roots(), object)]));
  // No way is longer than there are objects.
  for (const _ of all) {
    const next = new Map(
      all.map((object) => [
        object,
        all.reduce(
          (sum, holder) =>
            or(sum, and(reached.get(holder) ?? truth(false), named(reading, edges(holder), object))),
          reached.get(object) ?? truth(false),
        ),
      ]),
    );
    if (all.every((object) => next.get(object) === reached.get(object))) break;
    reached = next;
  }
  return reached;
}
