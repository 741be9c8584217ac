#!/bin/sh
# Fetches compiled BPF objects that Debian ships, for the tests that read other people's programs and for the tables of agreement
# (docs/agreement.md): those of xdp-tools and its library and tests, of v4l-utils (the decoders of ir-keytable), libbpf-tools, Performance
# Co-Pilot, the Go library of Cilium (test objects in both byte orders), Knot DNS and QEMU (receive-side steering). Some are files, some are
# built into programs and libraries. They go into .cache/debian-objects/PACKAGE/, 35 MB at most of packages are downloaded for them, and nothing is
# committed. Needs apt on Debian or a derivative; elsewhere the tests say that the objects are absent. A package that the distribution's release
# does not have is named and left out.
set -eu
cd "$(dirname "$0")/.."

cache=.cache/debian-objects
packages="xdp-tools libxdp1 xdp-tests ir-keytable libbpf-tools golang-github-cilium-ebpf-dev pcp qemu-system-x86"
# A library's package has the version of its interface in its name.
packages="$packages $(apt-cache pkgnames libknot | grep -E '^libknot[0-9]+(t64)?$' | sort -V | tail -n 1)"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# apt downloads as a user of its own where it can.
chmod 755 "$work"

# Whether a file has an ELF header for BPF (machine 247) in it, of either byte order: magic, 64 bits, then type "relocatable" and the machine.
holds_bpf() {
    LC_ALL=C grep -qaP '\x7fELF\x02(\x01\x01[\x00-\xff]{9}\x01\x00\xf7\x00|\x02\x01[\x00-\xff]{9}\x00\x01\x00\xf7)' "$1"
}

for package in $packages; do
    if ! (cd "$work" && apt-get download -qq "$package"); then
        echo "$package: not to be had here"
        continue
    fi
    mkdir "$work/$package"
    dpkg-deb -x "$work/$package"_*.deb "$work/$package"
    rm -rf "${cache:?}/$package"
    mkdir -p "$cache/$package"
    find "$work/$package" -type f -size -64M | sort | while read -r file; do
        if holds_bpf "$file"; then cp "$file" "$cache/$package/"; fi
    done
    echo "$package: $(find "$cache/$package" -type f | wc -l) files"
    rm -rf "${work:?}/$package" "$work/$package"_*.deb
done
