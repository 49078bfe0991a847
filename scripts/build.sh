#!/usr/bin/env bash
# Configures and compiles.
#
#   build.sh [release|dev|asan|clang|fuzz]
#
# `release` (the default) builds the programs alone, `fuzz` the fuzz targets (scripts/fuzz.sh); the
# other presets build the tests too.
# Environment: KITH_DEMO=ON (the demo's faulty program too), KITH_REQUIRE_VECTORS=ON, KITH_VECTORS=DIR (test vectors), KITH_DEPS_PREFIX, KITH_JOBS.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

preset="${1:-release}"
case "$preset" in
  release) tests=OFF ;;
  dev | asan | clang) tests=ON ;;
  fuzz) tests=OFF ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

for tool in cmake ninja g++; do
  command -v "$tool" >/dev/null || die "$tool is not installed" "Run scripts/install-deps.sh build"
done

options=(-DKITH_TESTS="$tests" -DKITH_DEMO="${KITH_DEMO:-OFF}" -DKITH_BENCH="$tests" -DKITH_DEPS_PREFIX="$KITH_DEPS_PREFIX"
  -DKITH_REQUIRE_VECTORS="${KITH_REQUIRE_VECTORS:-OFF}")
[ -z "${KITH_VECTORS:-}" ] || options+=(-DKITH_VECTORS="$KITH_VECTORS")

cd "$KITH_ROOT"
build_dir="$KITH_ROOT/build/$preset"
if ! output="$(cmake --preset "$preset" "${options[@]}" 2>&1)"; then
  printf '%s\n' "$output" >&2
  die "configuring failed (its reason is above)" "Missing packages? scripts/install-deps.sh --print"
fi
if [ "$preset" = fuzz ]; then
  ninja -C "$build_dir" -j "$(build_jobs)" fuzz_programs
else
  ninja -C "$build_dir" -j "$(build_jobs)"
fi

for program in kith kith-sim; do
  [ ! -x "$build_dir/$program" ] || say "$program: $build_dir/$program"
done
