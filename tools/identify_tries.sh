#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# identify_tries.sh ROBOT [TRIES] [FIT] - how often the intervals of qiao identify hold what was
# hidden: TRIES draws of scenario excite, each recorded in engine mujoco, identified from the record
# alone, compared with the concrete case. Prints a row for each parameter.
set -eu
robot=${1:?which robot?} tries=${2:-100} fit=${3:-damping,frictionloss,armature,kp,kd,delay}
qiao=${QIAO:-build/qiao} dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
seed=1
while [ "$seed" -le "$tries" ]; do
    "$qiao" run excite --robot "$robot" --brain chirp --seed "$seed" --no-page --out "$dir" >/dev/null
    one=$(echo "$dir"/excite-*-"$seed")
    "$qiao" identify "$one" --robot "$robot" --fit "$fit" --no-page --json >"$dir/out.json"
    for p in $(echo "$fit" | tr , ' '); do
        field=$p
        [ "$p" = delay ] && field=drive_delay
        hidden=$(sed -n "s/.*keep(robot\.$field == \([0-9.e-]*\).*/\1/p" "$one/case.osc" | tail -1)
        awk -v seed="$seed" -v p="$p" -v x="${hidden:-1}" '
            { gsub(/[",]/, ""); gsub(/:/, "") }
            $1 == "joints" { exit }
            $1 == "name" { cur = $2 }
            cur == p { v[$1] = $2 }
            END { if (v["told"] == "true")
                print seed, p, x, v["value"], v["low"], v["high"], (v["low"] <= x && x <= v["high"]) }
        ' "$dir/out.json"
    done >>"$dir/all"
    rm -rf "$one"
    seed=$((seed + 1))
done
awk '{ n[$2]++; in_[$2] += $7; w[$2] += ($6 - $5) / 2; if (!$7) out[$1] = 1; all[$1] = 1 }
    END { for (p in n) printf "%-13s %d of %d within, mean half width %.3g\n", p, in_[p], n[p], w[p] / n[p]
          for (s in all) { k++; if (!(s in out)) good++ }
          printf "all of a try   %d of %d\n", good, k }' "$dir/all"
[ -n "${KEEP:-}" ] && cp "$dir/all" "$KEEP" || true
