#!/usr/bin/env bash
# Makes the Debian packages kith and kith-host (cmake/package.cmake says what is in which).
#
#   package.sh [--build DIR] [DIRECTORY]
#
# --build    packs what is built there already; default: builds build/release first
# DIRECTORY  where they go; default: build/packages
#
# Environment: DEBFULLNAME and DEBEMAIL, who answers for packages that others get (Debian's own names).
# With SOURCE_DATE_EPOCH, or from a git tree, the same build gives the same packages.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

build=
target="$KITH_ROOT/build/packages"
while [ $# -gt 0 ]; do
  case "$1" in
    --build) build="${2:?--build needs a directory}"; shift ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) target="$1" ;;
  esac
  shift
done
for tool in cpack dpkg-shlibdeps file gzip python3; do
  command -v "$tool" >/dev/null || die "$tool is not installed" "Run scripts/install-deps.sh build"
done

if [ -z "$build" ]; then
  "$KITH_ROOT/scripts/build.sh" release
  build="$KITH_ROOT/build/release"
fi
[ -x "$build/kith" ] || die "there is no program in $build" "Without --build it is built first."
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
  SOURCE_DATE_EPOCH="$(git -C "$KITH_ROOT" log -1 --format=%ct 2>/dev/null || date +%s)"
fi
export SOURCE_DATE_EPOCH

mkdir -p "$target"
target="$(cd "$target" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
umask 022
options=()
if [ -n "${DEBEMAIL:-}" ]; then
  options=(-D "CPACK_DEBIAN_PACKAGE_MAINTAINER=${DEBFULLNAME:-Kith maintainers} <$DEBEMAIL>")
fi
if ! output="$(cpack --config "$build/CPackConfig.cmake" -B "$work" "${options[@]}" 2>&1)"; then
  printf '%s\n' "$output" >&2
  die "packing failed (its reason is above)"
fi
for package in "$work"/*.deb; do
  mv "$package" "$target/"
  say "$target/${package##*/}"
done
