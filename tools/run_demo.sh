#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make run: a real robot through a real job.
set -u
build=$1
cd "$(dirname "$0")/.."
echo
"$build/qiao" run parcel_route --robot go2 --brain trot --seed 1
status=$?
echo
echo "Next: $build/qiao --help, or sort the bin: $build/qiao run sort_bin --robot panda --brain pick"
exit $status
