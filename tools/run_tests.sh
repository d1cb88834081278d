#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test program of a build, prints what failed, the three slowest tests, and the count.
set -u
build=$1; filter=${2:-}
log=$build/tests/log; : > "$log"
pass=0 fail=0 skip=0
export QIAO_BUILD=$build
for t in "$build"/tests/test_*; do
    [ -x "$t" ] || continue
    case "$t" in *.d | *.o) continue ;; esac
    [ -f "${t##*/}" ] || [ -f "tests/${t##*/}.c" ] || continue
    out=$("$t" $filter 2>&1); status=$?
    printf '%s\n' "$out" >> "$log"
    last=$(printf '%s\n' "$out" | grep -E '^[0-9]+ passed, ' | tail -1)
    if [ -z "$last" ]; then
        printf '%s\n' "$out" | tail -20; echo "FAIL ${t##*/} ended with status $status before its count"
        fail=$((fail + 1)); continue
    fi
    read -r p _ f _ s _ <<< "$last"
    pass=$((pass + p)) fail=$((fail + f)) skip=$((skip + s))
    printf '  %-16s %s\n' "${t##*/}" "$last"
    if [ "$f" -gt 0 ] || [ $status -ne 0 ]; then printf '%s\n' "$out" | grep -v '^ok '; fi
    [ "$f" -eq 0 ] && [ $status -ne 0 ] && fail=$((fail + 1))
done
grep '^skip' "$log"
echo "slowest:"; grep '^ok ' "$log" | sort -k3 -n -r | head -3
printf '%d passed, %d failed, %d skipped\n' "$pass" "$fail" "$skip"
[ "$fail" -eq 0 ] && [ "$pass" -gt 0 ]
