/** Graphviz, where it is installed: @hpcc-js/wasm-graphviz is an optional dependency. */

/** Lays Graphviz text out as SVG; nothing without the package. */
export async function layout(dot: string): Promise<string | undefined> {
  let loaded: typeof import("@hpcc-js/wasm-graphviz");
  try {
    loaded = await import("@hpcc-js/wasm-graphviz");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
  const graphviz = await loaded.Graphviz.load();
  return graphviz.dot(dot);
}
