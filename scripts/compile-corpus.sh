#!/bin/sh
# Compiles corpus/src/*.bpf.c at every ISA version into corpus/objects/NAME.vN.o, the idioms beside their sources with and without 32-bit
# instructions, and the object reader's test data in both byte orders. The objects are committed, so that only who changes a program needs
# clang; the same compiler gives the same bytes on any machine.
#
# CLANG and STRIP name the tools (clang-19 and llvm-strip-19).
set -eu
cd "$(dirname "$0")/.."

clang=${CLANG:-clang-19}
strip=${STRIP:-llvm-strip-19}

# compile SOURCE OBJECT TARGET ISA
compile() {
    # Relative paths only: line information must not say where the repository lies.
    "$clang" -target "$3" -mcpu="$4" -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -Wno-unused-function \
        -Wno-unused-variable -Wno-sign-compare -Wno-uninitialized -fno-ident -fdebug-compilation-dir=. -c "$1" -o "$2"
    # BTF stays, DWARF goes.
    "$strip" --strip-debug "$2"
}

mkdir -p corpus/objects
for source in corpus/src/*.bpf.c; do
    for version in 1 2 3 4; do
        compile "$source" "corpus/objects/$(basename "$source" .bpf.c).v$version.o" bpfel v$version
    done
done

for source in corpus/idioms/*.bpf.c; do
    for version in 1 3; do
        compile "$source" "${source%.bpf.c}.v$version.o" bpfel v$version
    done
done

for source in src/object/testdata/*.bpf.c; do
    for order in el eb; do
        compile "$source" "${source%.bpf.c}.$order.o" bpf$order v3
    done
done
