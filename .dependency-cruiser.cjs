/**
 * The import directions of ARCHITECTURE.md as a check: a folder may import itself and what its row lists, nothing else.
 */
const layers = {
  semantics: [],
  absint: ["semantics"],
  verifier: ["semantics", "absint"],
  vm: ["semantics"],
  kernel: ["semantics", "vm", "verifier"],
  object: ["semantics"],
  oracle: ["semantics", "object"],
  campaign: ["semantics", "absint", "verifier", "vm", "kernel", "object", "oracle", "proof"],
  proof: ["semantics", "absint"],
  cli: ["semantics", "absint", "verifier", "vm", "kernel", "object", "oracle", "campaign", "proof"],
};

const directions = Object.entries(layers).map(([folder, allowed]) => ({
  name: `src/${folder} imports only upward`,
  severity: "error",
  comment: `src/${folder} may import ${allowed.length === 0 ? "nothing of ours" : allowed.join(", ")}`,
  from: { path: `^src/${folder}/` },
  to: { path: "^(src|properties|bench|scripts)/", pathNot: `^src/(${[folder, ...allowed].join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...directions,
    {
      name: "seeded bugs are for those who ask for them",
      severity: "error",
      comment: "the catalogue is reached through soundcheck bugs and fuzz --target seeded:… alone",
      from: { path: "^src/", pathNot: "(^src/campaign/bugs/|^src/cli/(bugs|fuzz-seeded)|\\.test\\.ts$)" },
      to: { path: "^src/campaign/bugs/(catalogue|copy)" },
    },
    { name: "no cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "everything resolves", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "product code does not import tests or claims",
      severity: "error",
      from: { path: "^src/", pathNot: "\\.test\\.ts$" },
      to: { path: "(\\.test\\.ts$|^properties/|^bench/|^scripts/)" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
