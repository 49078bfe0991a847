#!/usr/bin/env bash
# Installs what is missing, builds and runs every test. The last line reads "N passed, N failed".
#
#   test.sh [--long] [--no-install]
#
#   --long        also with sanitizers, with clang and a minute of each fuzz target; tests that have a
#                 long form (KITH_LONG=1) take it in the first build, the simulator's in clang's too
#   --no-install  change nothing on the system
#
# Environment: see build.sh; KITH_REQUIRE_VECTORS=ON makes absent test vectors a failure.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

long=no
install=yes
for argument in "$@"; do
  case "$argument" in
    --long) long=yes ;;
    --no-install) install=no ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

presets=(dev)
packages="test"
if [ "$long" = yes ]; then
  presets+=(asan clang)
  packages="long"
fi
[ "$install" = no ] || "$KITH_ROOT/scripts/install-deps.sh" "$packages"

passed=0
failed=0
skipped=0

# Adds the counts of one ctest run, from its report.
count() {
  local counts
  counts="$(python3 - "$1" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot()
failed = int(suite.get("failures"))
skipped = int(suite.get("skipped")) + int(suite.get("disabled"))
print(int(suite.get("tests")) - failed - skipped, failed, skipped)
PYTHON
)"
  local run_passed run_failed run_skipped
  read -r run_passed run_failed run_skipped <<<"$counts"
  passed=$((passed + run_passed))
  failed=$((failed + run_failed))
  skipped=$((skipped + run_skipped))
}

# run_tests PRESET LONG [CTEST_OPTION...]: LONG is 1 for the long forms, else empty.
run_tests() {
  local preset="$1" long_forms="$2" report="$KITH_ROOT/build/$1/test-report.xml"
  shift 2
  rm -f "$report"
  # Most of the longest tests mostly wait for other processes.
  KITH_LONG="$long_forms" ctest --test-dir "$KITH_ROOT/build/$preset" -j "$(($(nproc) * 2 + 1))" --timeout 600 \
    --no-tests=error --output-on-failure --output-junit "$report" "$@" </dev/null || say "$preset: ctest found failures"
  if [ -s "$report" ]; then
    count "$report"
  else
    say "$preset: ctest wrote no report"
    failed=$((failed + 1))
  fi
}

for preset in "${presets[@]}"; do
  say "== $preset"
  if ! "$KITH_ROOT/scripts/build.sh" "$preset"; then
    say "$preset: the build failed"
    failed=$((failed + 1))
    continue
  fi
  case "$long.$preset" in
    yes.dev) run_tests dev 1 ;;
    yes.clang)  # Optimised: forty people in each simulated town.
      run_tests clang 1 -R "^sim/"
      run_tests clang "" -E "^sim/"
      ;;
    *) run_tests "$preset" "" ;;
  esac
done

if [ "$long" = yes ]; then
  if "$KITH_ROOT/scripts/fuzz.sh" 60; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
fi

# What was skipped or failed proves nothing; the tests themselves were counted above.
if [ -s "$KITH_ROOT/build/dev/test-report.xml" ]; then
  say "conformance: $("$KITH_ROOT/scripts/conformance.sh" --brief --results "$KITH_ROOT/build/dev/test-report.xml" | tail -1)"
fi

[ "$skipped" -eq 0 ] || say "$skipped skipped: something they need is not there (named in their output)"
say "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
