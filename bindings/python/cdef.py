# SPDX-License-Identifier: Apache-2.0
"""Reads preprocessed C from stdin, prints the declarations of include/qiao for cffi."""
import re
import sys

lines, ours = [], False
for line in sys.stdin:
    mark = re.match(r'# \d+ "([^"]*)"', line)
    if mark:
        ours = "include/qiao/" in mark.group(1)
    elif ours and not line.startswith("#"):
        lines.append(line)
text = "".join(lines)
text = re.sub(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)", "", text)
text = re.sub(r"_Alignas\(\d+\)", "", text)
print(re.sub(r"\n\s*\n+", "\n", text))
