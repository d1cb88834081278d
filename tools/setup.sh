#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets up a fresh Debian 12: system packages, then what extern/lock.txt pins, into build/extern.
# Resumes after an interruption; does nothing twice. QIAO_DEV=1 adds what the checks need.
set -euo pipefail
cd "$(dirname "$0")/.."
ext=build/extern
mkdir -p "$ext"
say() { printf '  setup %s\n' "$*"; }

# 1. Debian packages: all in extern/debian.txt that are not there yet
missing=()
while read -r p _; do
    case "$p" in ''|'#'*) continue ;; esac
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done < <(cat extern/debian.txt; [ -z "${QIAO_DEV:-}" ] || cat extern/debian-dev.txt)
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ]; then as=(); elif sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then as=(sudo); else
        say "these Debian packages are missing and need an administrator:"
        printf '          apt-get install --no-install-recommends %s\n' "${missing[*]}"
        exit 2
    fi
    say "Debian packages: ${missing[*]}"
    "${as[@]}" apt-get update -qq
    { DEBIAN_FRONTEND=noninteractive "${as[@]}" apt-get install -y -q --no-install-recommends \
        "${missing[@]}" 2>&1 || echo "E: apt-get failed"; } | tee "$ext/apt.log" | awk '
        /^Need to get/ { print "          " $0 }
        /newly installed/ { all = $3 }
        /^Setting up/ && ++n % 20 == 0 { print "          " n " of " all " packages"; fflush() }
        /^E:/ { print "          " $0 }'
    ! grep -q '^E: ' "$ext/apt.log" || { say "see $ext/apt.log"; exit 1; }
fi

# 2. pinned files, each checked against its sha256 before it is opened
fetch_pypi() { # name version folder
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --python-version 3.12 --platform manylinux_2_28_x86_64 --dest "$3" "$1==$2"
}
while read -r registry name version file sha; do
    case "$registry" in ''|'#'*) continue ;; esac
    to="$ext/files/$file"
    mkdir -p "$ext/files"
    if ! echo "$sha  $to" | sha256sum --check --status 2>/dev/null; then
        say "$name $version (from $registry)"
        tmp="$ext/files/.part"; rm -rf "$tmp"; mkdir -p "$tmp"
        "fetch_$registry" "$name" "$version" "$tmp"
        echo "$sha  $tmp/$file" | sha256sum --check --status ||
            { say "$file does not have the pinned sha256; nothing of it was used"; exit 1; }
        mv "$tmp/$file" "$to"; rm -rf "$tmp"
    fi
    dest="$ext/$name"
    if [ "$(cat "$dest/.version" 2>/dev/null)" != "$version $sha" ]; then
        rm -rf "$dest" "$dest.part"; mkdir -p "$dest.part"
        case "$file" in
        mujoco-*.whl)
            unzip -qo "$to" 'mujoco/include/*' 'mujoco/libmujoco*' 'mujoco-*/licenses/*' -d "$dest.part"
            mv "$dest.part"/mujoco/* "$dest.part"; rmdir "$dest.part/mujoco"
            ln -s "libmujoco.so.$version" "$dest.part/libmujoco.so" ;;
        nicegui-*.whl) # its bundle of three.js, made a plain script: export{a as B} -> return{B:a}
            unzip -qo "$to" nicegui/elements/scene/dist/index.js '*/licenses/*' -d "$dest.part"
            { echo 'const QiaoThree = (function () {'
              sed -e '/^\/\/# sourceMappingURL/d' -e 's/;export{/;\nexport{/' \
                  "$dest.part/nicegui/elements/scene/dist/index.js" |
              sed -E -e '/^export\{/{s/([A-Za-z0-9_$]+) as ([A-Za-z0-9_$]+)/\2:\1/g;s/^export/return/}'
              echo '})();'; } > "$dest.part/three.js"
            grep -q '^return{.*THREE:' "$dest.part/three.js" || { say "no three.js in $file"; exit 1; }
            rm -rf "$dest.part/nicegui" ;;
        *) cp "$to" "$dest.part" ;;
        esac
        echo "$version $sha" > "$dest.part/.version"
        mv "$dest.part" "$dest"
    fi
done < extern/lock.txt
touch "$ext/.ready"
say "ready"
