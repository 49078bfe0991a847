#!/usr/bin/env bash
# Installs the programs with their manual pages and completion for this user, and a service that systemd
# runs for this user. Needs no root, and may be repeated: a later run brings all of them up to date.
#
#   install.sh [--prefix DIR] [--build DIR]
#   install.sh --uninstall [--prefix DIR]
#
# --prefix     where bin/ is or comes; default: ~/.local
# --build      installs what is built there already; default: builds build/release first
# --uninstall  stops the service, removes it and the programs; wallets stay

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

prefix="$HOME/.local"
build=
action=install
while [ $# -gt 0 ]; do
  case "$1" in
    --prefix) prefix="${2:?--prefix needs a directory}"; shift ;;
    --build) build="${2:?--build needs a directory}"; shift ;;
    --uninstall) action=uninstall ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
mkdir -p "$prefix"
prefix="$(cd "$prefix" && pwd)"
units="${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user"

# Without a session there is no manager of this user to talk to; that is no error.
service() { systemctl --user "$@" >/dev/null 2>&1; }

# As systemd reads the name of a program (systemd.service(5)), which may not hold everything.
systemd_program() {
  case "$1" in
    *[\"\'\\*?\[]* | *[[:cntrl:]]*) die "systemd takes no program of this name: $1" "Choose another --prefix." ;;
  esac
  printf '"%s"' "${1//%/%%}"
}

write_unit() {
  mkdir -p "$units"
  PROGRAM="$program" awk '
    /^ExecStart=/ { sub(/^[^ ]*/, ""); print "ExecStart=" ENVIRON["PROGRAM"] $0; next }
    { print }' "$KITH_ROOT/packaging/kith.service" >"$units/kith.service.new"
  mv "$units/kith.service.new" "$units/kith.service"
}

# What the last run of this script has installed, a path below the prefix on each line. (share/kith below
# ~/.local is the wallet.)
installed="$prefix/lib/kith/installed"

install_all() {
  mkdir -p "${installed%/*}"
  for component in kith-programs kith-simulator; do
    cmake --install "$build" --component "$component" --prefix "$prefix" --strip >/dev/null
    while IFS= read -r file || [ -n "$file" ]; do
      printf '%s\n' "${file#"$prefix/"}"
    done <"$build/install_manifest_$component.txt"
  done | LC_ALL=C sort >"$installed.new"
  if [ -f "$installed" ]; then
    LC_ALL=C comm -23 <(LC_ALL=C sort "$installed") "$installed.new" | remove_files  # Not in this version.
  fi
  mv "$installed.new" "$installed"
}

remove_files() {
  while IFS= read -r file; do
    rm -f "$prefix/$file"
  done
}

if [ "$action" = uninstall ]; then
  service disable --now kith || true
  rm -f "$units/kith.service" "$units/default.target.wants/kith.service" \
    "$prefix/bin/kith" "$prefix/bin/kith-sim"
  if [ -f "$installed" ]; then
    remove_files <"$installed"
    rm -f "$installed"
    rmdir --ignore-fail-on-non-empty "${installed%/*}"
  fi
  service daemon-reload || true
  say "Removed: $prefix/bin/kith, $prefix/bin/kith-sim and $units/kith.service"
  say "Your wallet stays where it is: ${XDG_DATA_HOME:-$HOME/.local/share}/kith"
  exit 0
fi

if [ -z "$build" ]; then
  "$KITH_ROOT/scripts/build.sh" release
  build="$KITH_ROOT/build/release"
fi
[ -x "$build/kith" ] || die "there is no program in $build" "Without --build it is built first."
program="$(systemd_program "$prefix/bin/kith")"
install_all
write_unit

say "Installed: $prefix/bin/kith with its pages (man kith), and $units/kith.service"
if service is-active kith; then
  service daemon-reload || true
  say "Kith is running as it was before: systemctl --user restart kith"
  exit 0
fi
say "Next:"
case ":$PATH:" in
  *":$prefix/bin:"*) ;;
  *) say "  export PATH=\"$prefix/bin:\$PATH\"      (for good: in ~/.profile)" ;;
esac
say "  kith init                                create your identity"
say "  systemctl --user daemon-reload"
say "  systemctl --user edit kith               only with a passphrase: see the top of kith.service"
say "  systemctl --user enable --now kith       run it, now and after each login"
say "  loginctl enable-linger                   keep it running while you are logged out"
say "To remove it again: scripts/install.sh --uninstall"
