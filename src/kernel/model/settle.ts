/**
 * What goes after every action: sockets that nobody can reach, and what lies in their messages; what program arrays hold that nobody can change any more; all that cannot be reached.
 *
 * A socket goes in one of two ways, and the other one of its pair can tell them apart. Where nothing names it any more, it is closed: if messages wait in it, the other one hears of that.
 * Where only messages of sockets name it that nobody can reach either, it is collected: all their messages are taken out first, and the other one hears of an end alone.
 */
import type { Place, Reading } from "./reading.ts";

/** Whether one of the places names the object. */
function named<B, V>({ or, read, same, truth }: Reading<B, V>, places: readonly Place<V>[], object: V): B {
  return places.reduce((sum, place) => or(sum, same(read(place), object)), truth(false));
}

/** The places of messages of all sockets. */
export function messagePlaces<B, V>({ edges, objects }: Reading<B, V>): readonly Place<V>[] {
  return objects().flatMap((holder) => edges(holder).filter(({ of }) => of === "message"));
}

/** Everything after an action. */
export function settle<B, V>(reading: Reading<B, V>): void {
  const { and, edges, end, is, not, nothing, objects, points, read, roots, same, write } = reading;
  closeSockets(reading);
  const users = [...roots().filter(({ of }) => of !== "attachment"), ...messagePlaces(reading)];
  for (const array of objects()) {
    const unused = and(is(array, "prog_array"), not(named(reading, users, array)));
    for (const edge of edges(array)) if (edge.of === "slot") write(unused, edge, nothing);
  }
  for (const [object, reached] of alive(reading)) {
    for (const edge of edges(object)) write(not(reached), edge, nothing);
    for (const point of points()) {
      const standing = { of: "standing", point } as const;
      write(and(not(reached), same(read(standing), object)), standing, nothing);
    }
    end(not(reached), object);
  }
}

/** Sockets that cannot be reached lose what lies in them: one after the other those that nothing names, then all the others at once. */
function closeSockets<B, V>(reading: Reading<B, V>): void {
  const { and, is, not, objects } = reading;
  const reached = alive(reading);
  const sockets = objects().filter((socket) => reading.weak(socket).length > 0);
  const lost = (socket: V): B => and(is(socket, "unix"), not(reached.get(socket) ?? reading.truth(true)));
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
  const { and, edges, not, nothing, read, same, weak, write } = reading;
  const peer = read({ of: "peer", socket });
  const paired = and(when, not(same(peer, nothing)));
  const waiting = not(same(read({ of: "message", socket, index: 0 }), nothing));
  if (tell) write(and(paired, waiting), { of: "reset", socket: peer }, peer);
  write(paired, { of: "peer", socket: peer }, nothing);
  for (const place of weak(socket)) write(when, place, nothing);
  for (const place of edges(socket)) write(when, place, nothing);
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
