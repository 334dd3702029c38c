#!/usr/bin/env bash
# Installs what is missing, builds everything and runs all tests. Ends with "N passed, N failed".
# Usage: scripts/setup_and_test.sh [--ci]
#   --ci   warnings are errors, every public header is compiled alone, the benchmarks are built
set -euo pipefail
cd "$(dirname "$0")/.."

preset=release
case "${1:-}" in
  "") ;;
  --ci) preset=ci ;;
  *) echo "usage: $0 [--ci]" >&2; exit 2 ;;
esac
build=build/$preset

scripts/install_dependencies.sh "$@"
cmake --preset $preset
cmake --build --preset $preset
if [ $preset = ci ]; then
  cmake --build --preset $preset --target all_verify_interface_header_sets
fi

status=0
ctest --preset $preset --no-tests=error --parallel "$(nproc)" || status=$?

# Counts the test cases of doctest programs by their summaries, and every other test as one.
log=$build/Testing/Temporary/LastTest.log
grep -hoE 'SKIPPED: .*' "$log" | sort | uniq -c || true  # grep fails where nothing was skipped
awk -v status=$status '
  /^[0-9]+\/[0-9]+ Testing: / { cases_passed = cases_failed = 0 }
  /^\[doctest\] test cases:/ { split($0, part, "|"); split(part[2], p, " "); split(part[3], f, " ")
                               cases_passed += p[1]; cases_failed += f[1] }
  /^Test Passed\.$/ { passed += cases_passed ? cases_passed : 1 }
  /^Test Failed\.$/ { passed += cases_passed; failed += cases_failed ? cases_failed : 1 }
  END { if (status && !failed) failed = 1; printf "%d passed, %d failed\n", passed, failed }
' "$log"
exit $status
