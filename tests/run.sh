#!/usr/bin/env bash
# run.sh - install what is missing, build, and run every test; the last line counts them
#
# Four builds: .build (both homes: unit and system tests), .build-san (hosted, ASan + UBSan, audited
# mempools: unit and hosted system tests again), .build-tsan (several lcores under ThreadSanitizer), .build-fuzz
# (clang, libFuzzer: every target for WEIR_FUZZ_SECONDS, default 5). Skipped tests say why in their log.
set -uo pipefail
cd "$(dirname "$0")/.."

fuzz_seconds=${WEIR_FUZZ_SECONDS:-5}
passed=0 failed=0 skipped=0
failures=()

say() { printf '\n== %s\n' "$*"; }

die() {
	echo "run.sh: $*" >&2
	echo "$passed passed, $((failed + 1)) failed, $skipped skipped"
	exit 1
}

# build DIR [meson options]: configures once and compiles; targets: those whose names match it, alone.
targets=
build() {
	local dir=$1 only=
	shift
	if [ ! -f "$dir/build.ninja" ]; then
		meson setup "$dir" "$@" >"$dir.log" 2>&1 || {
			tail -n 30 "$dir.log" >&2
			die "meson setup $dir failed: see $dir.log"
		}
	fi
	[ -z "$targets" ] || only=$(ninja -C "$dir" -t targets all | grep -oE "^($targets):" | tr -d :)
	# shellcheck disable=SC2086
	ninja -C "$dir" $only >"$dir.log" 2>&1 || {
		grep -A 20 -m 5 -E 'FAILED|error:' "$dir.log" >&2
		die "building $dir failed: see $dir.log"
	}
}

# count DIR: adds up the results of the last `meson test` there.
count() {
	local line
	while read -r line; do
		set -- $line
		case $1 in
		OK | EXPECTEDFAIL) passed=$((passed + 1)) ;;
		SKIP)
			skipped=$((skipped + 1))
			echo "skipped: ${*:2}"
			;;
		*)
			failed=$((failed + 1))
			failures+=("$dir_label ${*:2}: $1")
			;;
		esac
	done < <(/usr/bin/python3 - "$1/meson-logs/testlog.json" <<'PY'
import json, sys
for line in open(sys.argv[1]):
    t = json.loads(line)
    why = ""
    if t["result"] == "SKIP":
        out = (t.get("stdout") or "") + (t.get("stderr") or "")
        why = next((": " + l.strip() for l in out.splitlines() if "SKIP" in l), "")
    print(t["result"], t["name"] + why)
PY
	)
}

# tests DIR [meson test options]
tests() {
	dir_label=$1
	rm -f "$1/meson-logs/testlog.json"
	meson test -C "$1" --no-rebuild --num-processes 2 --print-errorlogs "${@:2}"
	[ -f "$1/meson-logs/testlog.json" ] || die "meson test ran nothing in $1"
	count "$1"
}

bash apps/setup.sh || die "set-up failed"

say "build (gcc; hosted and images)"
CC=gcc build .build
say "unit and system tests"
tests .build

say "build (gcc; ASan + UBSan, audited mempools)"
CC=gcc build .build-san -Dbuildtype=debug -Db_sanitize=address,undefined -Doptimization=1
say "unit and hosted system tests under ASan + UBSan"
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
tests .build-san --suite unit --suite hosted
unset ASAN_OPTIONS UBSAN_OPTIONS

say "several lcores under ThreadSanitizer (clang)"
[ -f .build-tsan/build.ninja ] || CC=clang meson setup .build-tsan -Db_sanitize=thread -Db_lundef=false >.build-tsan.log 2>&1
ninja -C .build-tsan tests/unit/test_core_handoff tests/unit/test_apps_app tests/unit/test_apps_app_call \
	tests/unit/test_netstack_lpm4_live tests/unit/test_netstack_lpm6_live tests/unit/test_netstack_mac_table \
	tests/unit/test_apps_router_live tests/unit/test_apps_hdr tests/unit/test_apps_meas \
	tests/unit/test_apps_pktgen >.build-tsan.log 2>&1 ||
	die "building .build-tsan failed: see .build-tsan.log"
tests .build-tsan core/handoff apps/app apps/app_call netstack/lpm4_live netstack/lpm6_live netstack/mac_table apps/router_live \
	apps/hdr apps/meas apps/pktgen

say "build (clang; fuzz targets)"
targets='apps/weir|tests/fuzz/fuzz_[a-z0-9_]+' CC=clang build .build-fuzz -Dbuildtype=debug -Db_sanitize=address,undefined -Doptimization=1 -Db_lundef=false
for target in .build-fuzz/tests/fuzz/fuzz_*; do
	[ -f "$target" ] && [ -x "$target" ] || continue
	name=$(basename "$target")
	work=$(mktemp -d)
	seeds=tests/fuzz/corpus/${name#fuzz_}
	[ -d "$seeds" ] || seeds=
	# shellcheck disable=SC2086
	if timeout $((fuzz_seconds + 120)) "$target" -max_total_time="$fuzz_seconds" -timeout=10 \
		-rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix="$work/" "$work" $seeds \
		>"$work.log" 2>&1; then
		passed=$((passed + 1))
		echo "$name: $(grep -o 'number_of_executed_units: [0-9]*' "$work.log")"
		rm -rf "$work" "$work.log"
	else
		failed=$((failed + 1))
		failures+=("$name (log and input kept: $work.log)")
		tail -n 30 "$work.log"
	fi
done

say "result"
for f in "${failures[@]+"${failures[@]}"}"; do
	echo "failed: $f"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
