#!/usr/bin/env bash
# Fails if a C++ file is not laid out as clang-format 14 lays it out. `--fix` rewrites the files.
# Exit code 77 (skipped) where clang-format 14 is not there: other versions differ in details.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

formatter=
for candidate in clang-format-14 clang-format; do
  if command -v "$candidate" >/dev/null && "$candidate" --version | grep -q 'version 14\.'; then
    formatter="$candidate"
    break
  fi
done
if [ -z "$formatter" ]; then
  say "clang-format 14 is not installed; the layout is not checked"
  exit 77
fi

cd "$KITH_ROOT"
mapfile -d '' files < <(find crypto protocol ledger recovery node sim tests bench fuzz examples \
  -path tests/tidy/bad -prune -o \( -name '*.cpp' -o -name '*.hpp' \) -print0 2>/dev/null)
[ "${#files[@]}" -gt 0 ] || die "no C++ files below $KITH_ROOT"
if [ "${1:-}" = --fix ]; then
  "$formatter" -i "${files[@]}"
  exit 0
fi

# A badly laid out line must be refused, or this check says nothing.
if printf 'int  x ;\n' | "$formatter" --dry-run -Werror --assume-filename=x.cpp 2>/dev/null; then
  die "$formatter accepts anything: is .clang-format still there?"
fi
if ! complaints="$("$formatter" --dry-run -Werror "${files[@]}" 2>&1)"; then
  printf '%s\n' "$complaints" | sed -n 's/: error: code should be clang-formatted.*/: format/p'
  die "run scripts/check-format.sh --fix"
fi
