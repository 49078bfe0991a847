#!/usr/bin/env bash
# Installs the programs for this user, and a service that systemd runs for this user. Needs no root.
#
#   install.sh [--prefix DIR]      default: ~/.local

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

prefix="$HOME/.local"
case "${1:-}" in
  "") ;;
  --prefix) prefix="${2:?--prefix needs a directory}" ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
mkdir -p "$prefix"
prefix="$(cd "$prefix" && pwd)"

"$KITH_ROOT/scripts/build.sh" release
[ -x "$KITH_ROOT/build/release/kith" ] || die "the build made no program: $KITH_ROOT/build/release/kith"
cmake --install "$KITH_ROOT/build/release" --prefix "$prefix" --strip >/dev/null

units="${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user"
mkdir -p "$units"
sed "s|^ExecStart=%h/.local/bin/|ExecStart=$prefix/bin/|" "$KITH_ROOT/packaging/kith.service" \
  >"$units/kith.service"

say "Installed: $prefix/bin/kith and $units/kith.service"
say "Next:"
case ":$PATH:" in
  *":$prefix/bin:"*) ;;
  *) say "  export PATH=\"$prefix/bin:\$PATH\"      (for good: in ~/.profile)" ;;
esac
say "  kith init                                create your identity"
say "  systemctl --user daemon-reload"
say "  systemctl --user enable --now kith       run it, now and after each login"
say "  loginctl enable-linger                   keep it running while you are logged out"
