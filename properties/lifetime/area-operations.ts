/** Operations drawn for one area each, with little else between: cgroups, network namespaces, mounts. */
import fc from "fast-check";
import type { Operation } from "../../src/kernel/operation.ts";
import {
  bpf,
  CGROUP_SKB,
  cgroupAttach,
  cgroupDetach,
  cgroupLink,
  cgroupReplace,
  DEVICE,
  drawn,
  linkCreate,
  linkUpdate,
  mapCreate,
  mapUpdate,
  objGet,
  objPin,
  PAIR,
  progLoad,
  twoNames,
  XDP,
  xdpSet,
} from "./operations.ts";

type Weighted = readonly [weight: number, arbitrary: fc.Arbitrary<Operation>];

const oneOf = (weighted: readonly Weighted[]): fc.Arbitrary<Operation> =>
  fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight: Math.round(10 * weight), arbitrary })));

/** Descriptors, few, so that most stand for something. */
const own = fc.integer({ min: 0, max: 6 });

const closed = (process: fc.Arbitrary<number>): fc.Arbitrary<Operation> =>
  drawn(fc.tuple(process, own), (one, fd) => ({ process: one, do: "close", fd }));

/** Mostly one of these descriptors, which are of what the area begins with. */
const mostly = (...fds: readonly number[]): fc.Arbitrary<number> =>
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...fds) }, { weight: 1, arbitrary: own });

/** Two cgroups, open, and three programs; a process that has the same. */
export const GROUPS: readonly Operation[] = [
  { process: 1, do: "cgroup_create", path: "a" },
  { process: 1, do: "cgroup_create", path: "a/b" },
  { process: 1, do: "cgroup_open", path: "a" },
  { process: 1, do: "cgroup_open", path: "a/b" },
  ...[1, 2, 3].map(() => progLoad(1, [], CGROUP_SKB)),
  { process: 1, do: "fork" },
];

/** Cgroups that come and go, with what is attached to them alone and by links. */
export function grouping(): fc.Arbitrary<Operation> {
  const process = fc.constantFrom(1, 1, 1, 2);
  const [cgroup, program] = [mostly(0, 1), mostly(2, 3, 4)];
  const path = fc.constantFrom("a", "a", "a/b", "c", "");
  const mode = fc.constantFrom("single", "override", "multi", "multi");
  return oneOf([
    [
      6,
      drawn(
        fc.tuple(process, fc.constantFrom("cgroup_create", "cgroup_create", "cgroup_remove"), path),
        (one, name, at) => ({ process: one, do: name, path: at }),
      ),
    ],
    [6, drawn(fc.tuple(process, path), (one, at) => ({ process: one, do: "cgroup_open", path: at }))],
    [6, process.map((one) => progLoad(one, [], CGROUP_SKB))],
    [1, drawn(fc.tuple(process, own), (one, map) => progLoad(one, [map], CGROUP_SKB))],
    [1, process.map((one) => mapCreate(one, "array"))],
    [12, drawn(fc.tuple(process, cgroup, program, mode), cgroupAttach)],
    [6, drawn(fc.tuple(process, cgroup, program), cgroupDetach)],
    [6, drawn(fc.tuple(process, cgroup, program), cgroupLink)],
    [4, drawn(fc.tuple(process, cgroup, program, program), cgroupReplace)],
    [2, drawn(fc.tuple(process, own, program), linkUpdate)],
    [2, drawn(fc.tuple(process, own), (one, link) => bpf(one, "link_detach", { link_fd: link }))],
    [5, closed(process)],
    [1, drawn(fc.tuple(process, own, fc.constant("/one")), objPin)],
    [1, process.map((one): Operation => ({ process: one, do: "unlink", path: "/one" }))],
    [1, process.map((one): Operation => ({ process: one, do: "fork" }))],
    [0.2, process.map((one): Operation => ({ process: one, do: "exit" }))],
  ]);
}

/** Two programs and the namespace, open; a process that has the same. */
export const NETWORKS: readonly Operation[] = [
  progLoad(1, [], XDP),
  progLoad(1, [], XDP),
  { process: 1, do: "netns_open" },
  { process: 1, do: "fork" },
];

/** Network namespaces, kept by processes, descriptors and sockets; devices that go from one to the other. */
export function wandering(): fc.Arbitrary<Operation> {
  const process = fc.constantFrom(1, 1, 2);
  const index = fc.constantFrom(DEVICE, DEVICE, DEVICE + 1);
  const [program, network] = [mostly(0, 1), mostly(2, 3)];
  return oneOf([
    [2, process.map((one): Operation => ({ process: one, do: "unshare_net" }))],
    [2, process.map((one): Operation => ({ process: one, do: "netns_open" }))],
    [4, drawn(fc.tuple(process, network), (one, fd) => ({ process: one, do: "netns_enter", fd }))],
    [3, process.map((one): Operation => ({ ...PAIR, process: one }))],
    [2, drawn(fc.tuple(process, index), (one, at) => ({ process: one, do: "device_delete", index: at }))],
    [
      5,
      drawn(fc.tuple(process, index, network), (one, at, fd) => ({
        process: one,
        do: "device_move",
        index: at,
        fd,
      })),
    ],
    [2, process.map((one) => progLoad(one, [], XDP))],
    [6, drawn(fc.tuple(process, program, index), xdpSet)],
    [6, drawn(fc.tuple(process, program, index), linkCreate)],
    [2, drawn(fc.tuple(process, own, program), linkUpdate)],
    [1, drawn(fc.tuple(process, own), (one, link) => bpf(one, "link_detach", { link_fd: link }))],
    [2, process.map((one): Operation => ({ process: one, do: "socket" }))],
    [1, process.map((one): Operation => ({ process: one, do: "socketpair" }))],
    [
      2,
      drawn(fc.tuple(process, own, own), (one, fd, passed) => ({
        process: one,
        do: "send",
        fd,
        fds: [passed],
      })),
    ],
    [1, drawn(fc.tuple(process, own), (one, fd) => ({ process: one, do: "receive", fd }))],
    [4, closed(process)],
    [1, drawn(fc.tuple(process, own, fc.constant("/one")), objPin)],
    [1, process.map((one): Operation => ({ process: one, do: "fork" }))],
    [0.2, process.map((one): Operation => ({ process: one, do: "exit" }))],
  ]);
}

/** A map, an array, a program that uses it, and a directory; processes that have the same. */
export const MOUNTED: readonly Operation[] = [
  mapCreate(1, "array"),
  mapCreate(1, "prog_array"),
  progLoad(1, [1]),
  mapUpdate(1, 1, 0, 2),
  { process: 1, do: "mkdir", path: "/d" },
  { process: 1, do: "fork" },
  { process: 1, do: "fork" },
];

/** Mount namespaces and file systems in directories, with pins there. */
export function mounting(): fc.Arbitrary<Operation> {
  const process = fc.constantFrom(1, 1, 2, 3);
  const at = fc.constantFrom("/d", "/d", "/e");
  const path = fc.constantFrom("/d", "/a", "/d/a", "/d/a", "/d/b", "/e/a");
  return oneOf([
    [
      5,
      drawn(fc.tuple(process, fc.constantFrom("mkdir", "mkdir", "rmdir"), at), (one, name, where) => ({
        process: one,
        do: name,
        path: where,
      })),
    ],
    [1, drawn(fc.tuple(process, path), (one, where) => ({ process: one, do: "mkdir", path: where }))],
    [
      4,
      drawn(fc.tuple(process, at), (one, where) => ({ process: one, do: "mount", type: "bpf", path: where })),
    ],
    [2, drawn(fc.tuple(process, at), (one, where) => ({ process: one, do: "umount", path: where }))],
    [2, process.map((one): Operation => ({ process: one, do: "unshare" }))],
    [
      2,
      drawn(fc.tuple(process, at, at), (one, from, where) => ({
        process: one,
        do: "bind",
        from,
        path: where,
      })),
    ],
    [6, drawn(fc.tuple(process, fc.constantFrom("rename", "link"), path, path), twoNames)],
    [8, drawn(fc.tuple(process, mostly(0, 1, 2), path), objPin)],
    [3, drawn(fc.tuple(process, path), objGet)],
    [2, drawn(fc.tuple(process, path), (one, where) => ({ process: one, do: "unlink", path: where }))],
    [3, drawn(fc.tuple(process, fc.constantFrom("array", "prog_array")), mapCreate)],
    [2, process.map((one) => progLoad(one, []))],
    [1, drawn(fc.tuple(process, own), (one, map) => progLoad(one, [map]))],
    [2, drawn(fc.tuple(process, own, fc.constant(0), own), mapUpdate)],
    [3, closed(process)],
    [1, process.map((one): Operation => ({ process: one, do: "fork" }))],
    [0.2, process.map((one): Operation => ({ process: one, do: "exit" }))],
  ]);
}
