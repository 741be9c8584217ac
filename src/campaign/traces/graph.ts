/** Who keeps what, as Graphviz text. */
import type { Keeping } from "../../kernel/keepers.ts";

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;

const SHAPES: readonly (readonly [start: string, attributes: string])[] = [
  ["process ", "shape=box, style=rounded"],
  ["map ", "shape=box3d"],
  ["program ", "shape=component"],
  ["link ", "shape=cds"],
  ["btf ", "shape=note"],
  ["socket ", "shape=ellipse"],
  ["network ", "shape=tab"],
  ["mounts ", "shape=tab"],
  ["device ", "shape=octagon"],
  ["cgroup ", "shape=folder, style=filled"],
];

/** @param title  what stands above it */
export function dot(title: string, keepings: readonly Keeping[]): string {
  const names = [...new Set(keepings.flatMap(({ keeper, kept }) => [keeper, kept]))].sort();
  const roots = new Set(keepings.flatMap(({ keeper, root }) => (root ? [keeper] : [])));
  const node = (name: string): string => {
    const shape = SHAPES.find(([start]) => name.startsWith(start))?.[1] ?? "shape=folder";
    return `  ${quoted(name)} [${shape}${roots.has(name) ? ", penwidth=2" : ""}];`;
  };
  const edges = new Map<string, string[]>();
  for (const { keeper, kept, how } of keepings) {
    const key = `${quoted(keeper)} -> ${quoted(kept)}`;
    edges.set(key, [...(edges.get(key) ?? []), how]);
  }
  return [
    "digraph objects {",
    `  label=${quoted(title)}; labelloc=t; rankdir=LR; node [fontname="sans-serif", fontsize=12, margin="0.2,0.08"]; edge [fontname="sans-serif", fontsize=11];`,
    ...names.map(node),
    ...[...edges].map(([edge, how]) => `  ${edge} [label=${quoted(how.join(", "))}];`),
    "}",
    "",
  ].join("\n");
}
