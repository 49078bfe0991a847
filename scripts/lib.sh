# Shared by the scripts beside it; sourced, never run.
# shellcheck shell=bash

KITH_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export KITH_ROOT
# Where packages are unpacked that cannot be installed beside others (see install-deps.sh).
export KITH_DEPS_PREFIX="${KITH_DEPS_PREFIX:-${HOME:-/root}/.cache/kith/deps}"
# Where the peers of the interoperability tests lie.
export KITH_NPM_PREFIX="${KITH_NPM_PREFIX:-${HOME:-/root}/.cache/kith/npm}"

say() { printf '%s\n' "$*"; }

# One failed step: what happened and, as further arguments, what to do next.
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

# Prints the comment block at the top of the calling script.
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

# Compile jobs: one a core, and no more than memory carries (about 1 GiB each).
build_jobs() {
  local cores memory_gib
  if [ -n "${KITH_JOBS:-}" ]; then
    say "$KITH_JOBS"
    return
  fi
  cores="$(nproc)"
  memory_gib="$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo)"
  [ "${memory_gib:-1}" -ge 1 ] || memory_gib=1
  if [ "$memory_gib" -lt "$cores" ]; then say "$memory_gib"; else say "$cores"; fi
}
