#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A room may use only the rooms before it (docs/tour.md); MuJoCo is known to model and sim alone.
set -u
cd "$(dirname "$0")/.."
order=(base model dyn est ctl nn brain sim task rec prove learn hw web)
rank() { local i; for i in "${!order[@]}"; do [ "${order[$i]}" = "$1" ] && { echo "$i"; return; }; done; echo -1; }
bad=0
for f in src/*/*.[ch] src/*/*.inc include/qiao/*.h; do
    [ -f "$f" ] || continue
    case "$f" in src/*) room=${f#src/}; room=${room%%/*} ;; *) room=$(basename "$f" .h); room=${room%%_*} ;; esac
    mine=$(rank "$room")
    [ "$mine" -ge 0 ] || { echo "$f: '$room' is no room"; bad=1; continue; }
    while IFS=: read -r line text; do
        used=$(sed -E 's/.*"(qiao\/)?([a-z_]+)(\.h|\/).*/\2/' <<< "$text")
        r=$(rank "$used")
        if [ "$r" -gt "$mine" ]; then echo "$f:$line: room $room uses $used, which comes after it"; bad=1; fi
    done < <(grep -nE '^ *# *include "(qiao/[a-z]+\.h|[a-z]+/)' "$f")
    if grep -qE '#include <mujoco/' "$f" && [ "$room" != model ] && [ "$room" != sim ]; then
        echo "$f: only rooms model and sim may use MuJoCo"; bad=1
    fi
done
[ $bad = 0 ] && echo "rooms: in order"
exit $bad
