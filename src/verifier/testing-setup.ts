/** Before test files that share a process: what takes memory for good is loaded before any of them takes some for itself (`absint/arena.ts`). */
await Promise.all([import("./check-certificate.ts"), import("./verify.ts")]);
