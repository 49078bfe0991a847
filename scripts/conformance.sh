#!/usr/bin/env bash
# Which requirement is met, by which test, and what is open: the table of docs/conformance, checked.
#
#   conformance.sh [--json | --brief] [--results FILE]... [--status met|operator|open|not-applicable] [ID...]
#   conformance.sh --breaks [ID or name of a fault]...
#
#   --json          one JSON document: id, status, evidence and more of each row
#   --brief         counts alone, and what a report does not prove
#   --results FILE  reports that ctest wrote (build/dev/test-report.xml); a row is met only if all of
#                   its tests passed there
#   --breaks        plant the faults of these rows (of all, if none is named) in a copy of HEAD and look
#                   whether the tests fail. One build serves nearly all: about as long as a build of
#                   everything, and then half a minute for ten faults. Environment: KITH_JOBS, KITH_VECTORS
#
# Exit code 1: the table is not in order, or a row does not hold.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

case "${1:-}" in
  -h | --help) usage; exit 0 ;;
esac
exec python3 "$KITH_ROOT/scripts/conformance.py" "$@"
