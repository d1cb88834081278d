#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the measured agreement of engine lanes with MuJoCo into docs/lanes.md, between its marks.
#   tools/lanes_table.sh [build folder]
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/gcc}
table=$(mktemp)
trap 'rm -f "$table"' EXIT
"$build/tests/test_lanes" --table > "$table"
awk -v table="$table" '
    /<!-- table -->/  { print; print ""; while ((getline line < table) > 0) print line; print ""; skip = 1 }
    /<!-- \/table -->/ { skip = 0 }
    !skip { print }' docs/lanes.md > "$table.md"
mv "$table.md" docs/lanes.md
