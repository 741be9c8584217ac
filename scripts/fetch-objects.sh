#!/bin/sh
# Fetches compiled BPF objects that Debian ships, for the tests that read other people's programs: those of xdp-tools (its programs have
# them built in, libxdp1 and xdp-tests as files) and of v4l-utils (the decoders of ir-keytable). They go into .cache/debian-objects/PACKAGE/ and are
# not committed. Needs apt on Debian or a derivative; elsewhere the tests say that the objects are absent.
set -eu
cd "$(dirname "$0")/.."

cache=.cache/debian-objects
packages="xdp-tools libxdp1 xdp-tests ir-keytable"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# apt downloads as a user of its own where it can.
chmod 755 "$work"

for package in $packages; do
    (cd "$work" && apt-get download -qq "$package")
    mkdir "$work/$package"
    dpkg-deb -x "$work/$package"_*.deb "$work/$package"
    rm -rf "${cache:?}/$package"
    mkdir -p "$cache/$package"
    find "$work/$package" -type f \( -name '*.o' -o -perm -u+x \) -exec cp {} "$cache/$package/" \;
    echo "$package: $(find "$cache/$package" -type f | wc -l) files"
done
