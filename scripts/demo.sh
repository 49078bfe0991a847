#!/usr/bin/env bash
# Builds Kith and shows a recovery among real processes on this machine.
#
#   demo.sh [--no-install] [OPTIONS OF THE STORY]
#
# Says what apt will install and asks for the password at most once; --no-install changes nothing.
# Once it is built the story takes at most 30 seconds, or it counts as failed; on a slow or busy
# machine allow more with KITH_DEMO_LIMIT_S=SECONDS.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

install=yes
story=()
for argument in "$@"; do
  case "$argument" in
    --no-install) install=no ;;
    -h | --help) usage; exit 0 ;;
    *) story+=("$argument") ;;
  esac
done

[ "$install" = no ] || "$KITH_ROOT/scripts/install-deps.sh" build
KITH_DEMO=ON "$KITH_ROOT/scripts/build.sh" release
exec python3 "$KITH_ROOT/scripts/demo_story.py" "$KITH_ROOT/build/release" "${story[@]}"
