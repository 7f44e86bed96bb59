#!/usr/bin/env bash
# run.sh - every benchmark, each beside its peer in the same run; about twenty minutes on an idle machine
#
#   perf/run.sh [NAME]...   mempool ring lpm graph router handoff io virtio host_ports idle boot; default: all
#
# Lines are `name cycles/pkt Mpps ratio`; a ratio above 1 is faster than the peer. docs/performance.md says how
# each is measured. Figures of a busy machine mean nothing: the load is printed first.
set -euo pipefail
cd "$(dirname "$0")/.."

bash apps/setup.sh
build=.build
[ -f $build/build.ninja ] || CC=gcc meson setup $build >/dev/null
ninja -C $build >/dev/null
data=../shared/data/routes/internet-2024-prefixes.txt.gz

bench_mempool() { $build/perf/mempool_bench; }
bench_ring() { $build/perf/ring_bench; }
bench_lpm() {
	/usr/bin/python3 perf/noise.py $build/apps/weir 2>&1
	if [ -f $data ]; then
		$build/perf/perf-lpm --routes $data
		$build/perf/perf-lpm6 --routes $data
	else
		echo "(no Internet table here: a random one with its prefix lengths)"
		$build/perf/perf-lpm
		$build/perf/perf-lpm6
	fi
}
bench_graph() { $build/perf/graph_bench; }
bench_router() {
	$build/perf/router_bench
	if [ -f $data ]; then
		/usr/bin/python3 perf/router.py --build $build --routes $data
	else
		/usr/bin/python3 perf/router.py --build $build
	fi
}
bench_io() { /usr/bin/python3 perf/io.py --build $build; }
bench_virtio() { /usr/bin/python3 perf/virtio.py --build $build; }
bench_host_ports() { /usr/bin/python3 perf/host_ports.py --weir $build/apps/weir || [ $? -eq 77 ]; } # 77: not root
bench_handoff() { $build/perf/handoff_bench; }
bench_idle() { /usr/bin/python3 perf/idle.py --build $build; }
bench_boot() { /usr/bin/python3 perf/boot.py --build $build; }

grep -m1 'model name' /proc/cpuinfo | sed 's/.*: //'
echo "load: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) CPUs, hugepages: $(cat /proc/sys/vm/nr_hugepages)"
for name in "${@:-mempool ring lpm graph router handoff io virtio host_ports idle boot}"; do
	for one in $name; do
		declare -F "bench_$one" >/dev/null || {
			echo "perf/run.sh: $one: no such benchmark: see the head of this file" >&2
			exit 2
		}
		printf '\n== %s\n' "$one"
		"bench_$one"
	done
done
