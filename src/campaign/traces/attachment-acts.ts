/** Operations that areas of attachments have in common: attaching by bpf(2), links, descriptors and pins. */
import type { AttachmentDraw } from "./attachment-draw.ts";
import { type Act, bpf, EMPTY, F, OBJECTS, PINS } from "./attachment-scenes.ts";

/** Operations to draw from, each with how often it comes beside the others. */
export type Weighted = readonly (readonly [weight: number, make: () => Act])[];

/** Whether programs are attached to the process's own namespace. */
const inNamespace = ({ area }: AttachmentDraw): boolean => area === "netns" || area === "netfilter";

function query(draw: AttachmentDraw): Act {
  const ids = draw.once(10) ? {} : { count: draw.of([16, 16, 1, 2]), prog_ids: EMPTY };
  const flags = draw.once(3) ? { prog_attach_flags: EMPTY } : {};
  const links = draw.once(3) ? { link_ids: EMPTY, link_attach_flags: EMPTY } : {};
  const asked = draw.once(5) ? { query_flags: draw.of([1, 1, 1, 2]) } : {};
  const strange = draw.once(20) ? { attach_flags: 1 } : {};
  return bpf("prog_query", {
    ...draw.target(),
    attach_type: draw.attach(),
    ...ids,
    ...flags,
    ...links,
    ...asked,
    ...strange,
  });
}

function progAttach(draw: AttachmentDraw): Act {
  const flags = draw.flags();
  const target = inNamespace(draw) && !draw.once(8) ? {} : draw.target();
  const replaced = (flags & F.replace) !== 0 || draw.once(20) ? { replace_bpf_fd: draw.fd("program") } : {};
  return bpf("prog_attach", {
    ...target,
    attach_bpf_fd: draw.fd("program"),
    attach_type: draw.attach(),
    attach_flags: flags,
    ...replaced,
    ...draw.position(flags),
  });
}

function progDetach(draw: AttachmentDraw): Act {
  const flags = draw.once(4) ? draw.flags() : 0;
  const target = inNamespace(draw) && !draw.once(8) ? {} : draw.target();
  const program = draw.once(7) ? {} : { attach_bpf_fd: draw.fd("program") };
  return bpf("prog_detach", {
    ...target,
    ...program,
    attach_type: draw.attach(),
    attach_flags: flags,
    ...draw.position(flags),
  });
}

function linkCreate(draw: AttachmentDraw): Act {
  const flags = draw.linkFlags();
  const positioned = draw.area === "tcx" || draw.area === "cgroup" ? draw.position(flags) : {};
  return bpf("link_create", {
    prog_fd: draw.fd("program"),
    ...draw.target(),
    attach_type: draw.attach(),
    flags,
    ...positioned,
  });
}

function linkUpdate(draw: AttachmentDraw): Act {
  const flags = draw.once(3) ? F.replace : 0;
  const old = flags !== 0 || draw.once(12) ? { old_prog_fd: draw.fd("program") } : {};
  return bpf("link_update", { link_fd: draw.fd("link"), new_prog_fd: draw.fd("program"), flags, ...old });
}

/** Few enough that the trace keeps something. */
export function close(draw: AttachmentDraw): Act {
  return { do: "close", fd: draw.once(3) ? draw.fd() : draw.fd("link", "program") };
}

export function everywhere(draw: AttachmentDraw): Weighted {
  return [
    [3, () => close(draw)],
    [1, () => ({ do: "dup", fd: draw.fd() })],
    [3, () => draw.of(OBJECTS[draw.area])],
    [0.3, () => ({ do: draw.processes < 3 ? "fork" : "exit" })],
    [0.3, () => bpf("obj_pin", { bpf_fd: draw.fd("link", "program"), pathname: { text: draw.of(PINS) } })],
    [0.3, () => bpf("obj_get", { pathname: { text: draw.of(PINS) } })],
    ...privileges(draw),
    [0.2, () => ({ do: "unlink", path: draw.of(PINS) })],
  ];
}

/** The first process keeps its own. */
function privileges(draw: AttachmentDraw): Weighted {
  return draw.process === 1 ? [] : [[0.2, () => ({ do: "setuid", uid: 1000 })]];
}

export function links(draw: AttachmentDraw): Weighted {
  return [
    [6, () => linkCreate(draw)],
    [2, () => linkUpdate(draw)],
    [2, () => bpf("link_detach", { link_fd: draw.fd("link") })],
    [0.5, () => bpf("link_get_fd_by_id", { id: draw.below(8) })],
    ...information(draw),
  ];
}

/** Of links alone: what is told of others is not about attachments. */
function information(draw: AttachmentDraw): Weighted {
  const links = draw.open.filter(({ kind }) => kind === "link");
  if (links.length === 0) return [];
  return [[1, () => bpf("obj_get_info_by_fd", { bpf_fd: draw.of(links).fd, info_len: 64, info: EMPTY })]];
}

export function programs(draw: AttachmentDraw): Weighted {
  return [
    [5, () => query(draw)],
    [6, () => progAttach(draw)],
    [4, () => progDetach(draw)],
  ];
}
