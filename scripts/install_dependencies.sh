#!/usr/bin/env bash
# Installs the packages that building and testing need (Debian 12), and only those that are missing.
# Usage: scripts/install_dependencies.sh [--ci]
#   --ci   also the browser that checks the report page, and the formatter that checks the code
set -euo pipefail

packages=(
  g++ cmake ninja-build git ccache
  libeigen3-dev libtbb-dev libhdf5-dev libboost-program-options-dev libtomlplusplus-dev libfmt-dev
  nlohmann-json3-dev pkg-config liblz4-dev libzstd-dev libflatbuffers-dev flatbuffers-compiler libpugixml-dev
  libpng-dev libgif-dev libsndfile1-dev libsamplerate0-dev libssl-dev zlib1g-dev libjs-chart.js
  doctest-dev libbenchmark-dev
)
case "${1:-}" in
  "") ;;
  --ci) packages+=(chromium clang-format-14) ;;
  *) echo "usage: $0 [--ci]" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || echo none)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update -qq &&
       "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "${missing[@]}"; } \
     >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
