#!/usr/bin/env bash
# From a fresh machine to a trained network: installs what is missing, builds the program, simulates a small data set of
# gestures seen by an event camera, and trains a spiking network on it. Arguments go to `synfire train`.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_dependencies.sh
cmake --preset release
cmake --build --preset release --target synfire
synfire=build/release/apps/synfire

if [ ! -e data/gestures ]; then
  $synfire data simulate gestures data/gestures --repetitions 2
fi
$synfire train configs/gesture.toml "$@"
