/** Adds what can be reached from a node of a graph, unless it has been seen, to a list in postorder. Without recursion: programs are long. */
export function addPostorder(
  start: number,
  to: (at: number) => readonly number[],
  seen: Uint8Array,
  out: number[],
): void {
  const path: { readonly at: number; readonly to: readonly number[]; next: number }[] = [];
  const enter = (at: number): void => {
    if (seen[at] !== 0) return;
    seen[at] = 1;
    path.push({ at, to: to(at), next: 0 });
  };
  enter(start);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const next = top.to[top.next];
    top.next += 1;
    if (next !== undefined) enter(next);
    else {
      out.push(top.at);
      path.pop();
    }
  }
}
