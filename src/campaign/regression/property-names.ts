/** The properties that `corpus reduce --while` knows, in words. */
export const PROPERTIES =
  "accept, reject[:TEXT], unsupported[:TEXT], fault[:TEXT], oracle:NAME or finding:CAUSE";
