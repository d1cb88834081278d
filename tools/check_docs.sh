#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the code blocks of every *.md: sh (its qiao lines), c (compiles), osc (checks), python
# (compiles). A block that is only for reading says so: ```sh no-run, ```c fragment.
# Also: every file that a page links to exists.
set -u
cd "$(dirname "$0")/.."
build=${1:-build/gcc}
top=$PWD; work=$build/docs; rm -rf "$work"; mkdir -p "$work"
export PATH="$top/$build:$PATH" QIAO_HOME="$top"
n=0 bad=0
check() { # kind file line text-file
    n=$((n + 1))
    case "$1" in
    sh) (cd "$work" && grep -E '^qiao ' "$top/$4" | while read -r cmd; do
            timeout 300 bash -c "$cmd" > out.txt 2>&1; s=$?
            [ $s -le 1 ] || { echo "$2:$3: '$cmd' ended with $s"; tail -3 out.txt; exit 1; }
        done) ;;
    c) ${CC:-gcc} -std=gnu17 -fsyntax-only -Wall -Iinclude -x c "$4" ;;
    osc) cp "$4" "$4.osc"; "$build/qiao" scenarios "$4.osc" > "$work/out.txt" 2>&1 || { cat "$work/out.txt"; false; } ;;
    python) python3 -m py_compile "$4" ;;
    *) return 0 ;;
    esac || { echo "$2:$3: this block does not work"; bad=$((bad + 1)); }
}
for f in $(git ls-files '*.md'); do
    i=0 kind=
    while IFS= read -r text || [ -n "$text" ]; do
        i=$((i + 1))
        if [ -z "$kind" ] && [[ "$text" =~ ^\`\`\`([a-z]+)$ ]]; then
            kind=${BASH_REMATCH[1]} from=$i block=$work/block$n.txt; : > "$block"
        elif [ -z "$kind" ] && [[ "$text" =~ ^\`\`\` ]]; then kind=skip block=/dev/null
        elif [ -n "$kind" ] && [[ "$text" =~ ^\`\`\` ]]; then
            [ "$kind" = skip ] || check "$kind" "$f" "$from" "$block"
            kind=
        elif [ -n "$kind" ]; then printf '%s\n' "$text" >> "$block"; fi
    done < "$f"
    dir=$(dirname "$f")
    while read -r link; do
        [ -z "$link" ] || [ -e "$dir/$link" ] || { echo "$f: links to '$link', which is not there"; bad=$((bad + 1)); }
    done < <(grep -oE '\]\([^)#]+' "$f" | sed 's/^](//' | grep -vE '^[a-z]+:')
done
echo "docs: $n code blocks checked, $bad faults"
[ $bad = 0 ]
