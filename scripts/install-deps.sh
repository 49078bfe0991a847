#!/usr/bin/env bash
# Installs what Kith needs from the distribution (Debian 12 and newer, Ubuntu 24.04 and newer).
#
#   install-deps.sh [build|test|long] [--print]
#
#   build    compile and run (default)
#   test     build, and what scripts/test.sh needs
#   long     test, and what scripts/test.sh --long needs
#
# Peers for the interoperability tests come from the npm registry, at the versions that the lock files
# of tests/interop pin, into $KITH_NPM_PREFIX (~/.cache/kith/npm). Where that is out of reach those
# tests are skipped by name.
#
#   --print  say what is missing and change nothing
#
# Asks for the administrator's password at most once, and only if something is missing.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

level=build
print_only=no
for argument in "$@"; do
  case "$argument" in
    build | test | long) level="$argument" ;;
    --print) print_only=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

command -v apt-get >/dev/null ||
  die "this script knows Debian's package manager only" \
    "Install by hand: a C++20 compiler, CMake 3.25, Ninja, Boost 1.81 (JSON, URL), libsodium 1.0.18," \
    "libsecp256k1, OpenSSL 3, LevelDB, msgpack-cxx, CLI11, fmt, utf8proc, qrencode, libpng, p11-kit, toml++ 3 and Python 3.11; for the tests GoogleTest."

distribution="$(. /etc/os-release && printf '%s %s' "${ID:-}" "${VERSION_ID:-}")"
case "$distribution" in
  "debian 10" | "debian 11" | "ubuntu 20.04" | "ubuntu 22.04")
    die "$distribution is too old: Kith needs Boost 1.81 and GCC 12" "Debian 12 or newer has them." ;;
esac

packages=(g++ cmake ninja-build pkg-config ccache python3 libsodium-dev libsecp256k1-dev libssl-dev
  libleveldb-dev libcli11-dev libfmt-dev libutf8proc-dev libqrencode-dev libpng-dev libp11-kit-dev
  libtomlplusplus-dev dpkg-dev file)
# Debian 12 has two versions of Boost; libmsgpack-cxx-dev there depends on the older one, whose
# headers conflict with the newer one's, so that one package is unpacked and not installed.
unpack_msgpack=no
if [ "$distribution" = "debian 12" ]; then
  packages+=(libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev)
  if [ ! -f "$KITH_DEPS_PREFIX/usr/include/msgpack.hpp" ] && [ ! -f /usr/include/msgpack.hpp ]; then
    unpack_msgpack=yes
  fi
else
  packages+=(libboost-dev libboost-json-dev libboost-url-dev libmsgpack-cxx-dev)
fi
peers=()
if [ "$level" != build ]; then
  packages+=(libgtest-dev libbenchmark-dev clang-format strace)
  # A key token that is a program.
  packages+=(softhsm2)
  # Constant time is watched in what either compiler makes.
  packages+=(valgrind clang)
  # They read what is installed for them: manual pages and completion.
  packages+=(mandoc zsh fish)
  # A ledger for the tests, which start servers of their own: its service is stopped below.
  packages+=(etcd-server)
  # Another Node.js than Debian's comes with an npm of its own, and does not go with Debian's.
  command -v node >/dev/null || packages+=(nodejs)
  command -v npm >/dev/null || packages+=(npm)
  # ... and for the ledger on a chain: a chain of one process, and the contract's compiler.
  peers+=(didcomm-node evm slip39)
fi
if [ "$level" = long ]; then
  packages+=(lintian debootstrap)
  peers+=(veramo)
  if [ "$distribution" = "debian 12" ]; then
    packages+=(libclang-rt-14-dev)
  else
    packages+=(libclang-rt-dev)
  fi
fi

missing=()
for package in "${packages[@]}"; do
  status="$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)"
  [ "$status" = installed ] || missing+=("$package")
done

# Whether the packages of one peer are there, at the versions of its lock file.
peer_there() {
  [ -d "$KITH_NPM_PREFIX/$1/node_modules" ] &&
    cmp -s "$KITH_ROOT/tests/interop/$1/package-lock.json" "$KITH_NPM_PREFIX/$1/package-lock.json"
}
missing_peers=()
for peer in "${peers[@]}"; do
  peer_there "$peer" || missing_peers+=("$peer")
done

if [ "${#missing[@]}" -eq 0 ] && [ "$unpack_msgpack" = no ] && [ "${#missing_peers[@]}" -eq 0 ]; then
  say "Packages for '$level': all there."
  exit 0
fi
[ "${#missing[@]}" -eq 0 ] || say "apt will install: ${missing[*]}"
[ "$unpack_msgpack" = no ] || say "Unpacked into $KITH_DEPS_PREFIX: libmsgpack-cxx-dev"
[ "${#missing_peers[@]}" -eq 0 ] || say "npm will fetch into $KITH_NPM_PREFIX: ${missing_peers[*]}"
[ "$print_only" = no ] || exit 0

# Runs a command as root. sudo asks on the terminal; without one it must not need to.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif ! command -v sudo >/dev/null; then
    die "this needs root, and there is no sudo" "As root: apt-get update && apt-get install ${missing[*]}"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# Update and install are one privileged command, so that the password is asked for once.
if [ "${#missing[@]}" -gt 0 ]; then
  # shellcheck disable=SC2016  # The inner shell expands its own arguments.
  as_root env DEBIAN_FRONTEND=noninteractive sh -c '
    apt-get update -q -o DPkg::Lock::Timeout=120 &&
    apt-get install -q -y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=120 "$@" || exit
    case " $* " in
      *" etcd-server "*) [ ! -d /run/systemd/system ] || systemctl -q disable --now etcd ;;
    esac' \
    install-deps "${missing[@]}" ||
    die "apt could not install the packages (its reason is above)" \
      "If it would have to remove one (another Boost, say), decide yourself: apt-get install ${missing[*]}"
fi

if [ "$unpack_msgpack" = yes ]; then
  download="$(mktemp -d)"
  trap 'rm -rf "$download"' EXIT
  fetch() { (cd "$download" && apt-get download -q -o APT::Sandbox::User=root libmsgpack-cxx-dev); }
  # Downloading needs no root, only package lists; those are fetched where there are none.
  fetch 2>/dev/null || { as_root apt-get update -q && fetch; } ||
    die "apt could not download libmsgpack-cxx-dev (its reason is above)"
  mkdir -p "$KITH_DEPS_PREFIX"
  dpkg-deb -x "$download"/libmsgpack-cxx-dev_*.deb "$KITH_DEPS_PREFIX"
fi

# No package runs anything while it is installed, and only what the lock file names is taken.
fetch_peer() {
  local target="$KITH_NPM_PREFIX/$1"
  rm -rf "$target.new"
  mkdir -p "$target.new"
  cp "$KITH_ROOT/tests/interop/$1/package.json" "$KITH_ROOT/tests/interop/$1/package-lock.json" \
    "$target.new" &&
    (cd "$target.new" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) &&
    rm -rf "$target" && mv "$target.new" "$target"
}
for peer in "${missing_peers[@]}"; do
  fetch_peer "$peer" ||
    say "npm could not fetch $peer (its reason is above): the tests with this peer will be skipped"
done
say "Packages for '$level': installed."
