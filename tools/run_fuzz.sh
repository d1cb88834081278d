#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs one fuzz target for some seconds from its seeds: run_fuzz.sh build/fuzz/fuzz_x SECONDS
set -u
name=$(basename "$1"); name=${name#fuzz_}
corpus=build/fuzz/corpus/$name; mkdir -p "$corpus"
seeds=tests/fuzz/seeds/$name; [ -d "$seeds" ] || seeds=
log=build/fuzz/$name.log
"$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/$name-" "$corpus" $seeds > "$log" 2>&1 ||
    { echo "fuzz $name: FAILED"; grep -E 'ERROR|SUMMARY|Test unit written' "$log" | head -5; exit 1; }
echo "fuzz $name: $(grep -oE 'number_of_executed_units: [0-9]+' "$log" | grep -oE '[0-9]+') inputs in $2 s, no fault"
