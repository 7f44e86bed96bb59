#!/usr/bin/env bash
# run.sh - every benchmark beside its peers as one report; about half an hour on an idle machine
#
#   perf/run.sh [NAME]...                 mempool ring lpm graph router handoff io pktgen measure replay virtq virtio
#                                         host_ports idle boot; default: all
#   perf/run.sh --write-baseline [NAME]…  make this run what later ones are held against (perf/baseline.json)
#
# Writes .perf/results.json and .perf/report.html. Exit 1 when a ratio falls below the baseline by more than the
# noise, or a benchmark fails. docs/performance.md says how; figures of a busy machine mean little.
set -euo pipefail
cd "$(dirname "$0")/.."

bash apps/setup.sh
build=.build
[ -f $build/build.ninja ] || CC=gcc meson setup $build >/dev/null
ninja -C $build >/dev/null
exec /usr/bin/python3 perf/report.py --build $build "$@"
