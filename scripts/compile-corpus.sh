#!/bin/sh
# Compiles corpus/src/*.bpf.c at every ISA version into corpus/objects/NAME.vN.o. The objects are committed, so that only who changes a
# program needs clang; the same compiler gives the same bytes on any machine.
#
# CLANG and STRIP name the tools (clang-19 and llvm-strip-19).
set -eu
cd "$(dirname "$0")/.."

clang=${CLANG:-clang-19}
strip=${STRIP:-llvm-strip-19}

mkdir -p corpus/objects
for source in corpus/src/*.bpf.c; do
    name=$(basename "$source" .bpf.c)
    for version in 1 2 3 4; do
        object=corpus/objects/$name.v$version.o
        # Relative paths only: line information must not say where the repository lies.
        "$clang" -target bpf -mcpu=v$version -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -Wno-unused-function \
            -Wno-unused-variable -Wno-sign-compare -Wno-uninitialized -fno-ident \
            -fdebug-compilation-dir=. -c "$source" -o "$object"
        # BTF stays, DWARF goes.
        "$strip" --strip-debug "$object"
    done
done
