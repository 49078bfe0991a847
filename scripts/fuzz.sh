#!/usr/bin/env bash
# Runs libFuzzer over what strangers can send. Exit code 1 if an input breaks a property.
#
#   fuzz.sh [SECONDS] [TARGET...]
#
# SECONDS is for each target (default: 60), TARGET one of those in fuzz/CMakeLists.txt (default: all).
# Corpora grow in build/fuzz/corpus, finds lie in build/fuzz/finds; fuzz/corpus is only read.
# Environment: see build.sh.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=60
case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  *[!0-9]*) ;;
  ?*) seconds="$1"; shift ;;
esac

"$KITH_ROOT/scripts/build.sh" fuzz
build="$KITH_ROOT/build/fuzz"
targets=("$@")
if [ "${#targets[@]}" -eq 0 ]; then
  mapfile -t targets < <(cd "$KITH_ROOT/fuzz/corpus" && printf '%s\n' *)
fi

broken=0
for target in "${targets[@]}"; do
  program="$build/fuzz/fuzz_$target"
  [ -x "$program" ] || die "there is no target $target" "Known: $(cd "$KITH_ROOT/fuzz/corpus" && echo *)"
  mkdir -p "$build/corpus/$target" "$build/finds"
  say "== $target, $seconds s"
  # A unit over ten seconds, or two gigabytes, is a find as well.
  if ! "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
    -print_final_stats=1 -artifact_prefix="$build/finds/$target-" \
    "$build/corpus/$target" "$KITH_ROOT/fuzz/corpus/$target" >"$build/finds/$target.log" 2>&1; then
    tail -n 30 "$build/finds/$target.log"
    broken=$((broken + 1))
    continue
  fi
  grep -E 'number_of_executed_units|new_units_added|peak_rss_mb' "$build/finds/$target.log"
done
[ "$broken" -eq 0 ] || die "$broken targets found something" "The inputs lie in $build/finds"
say "${#targets[@]} targets found nothing"
