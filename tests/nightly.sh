#!/usr/bin/env bash
# nightly.sh - what takes too long for every change: the tests of run.sh at their full length
#
# Uses run.sh's build folder. Prints every test's own figures, and last how many passed.
set -uo pipefail
cd "$(dirname "$0")/.."

weir=$PWD/.build/apps/weir
passed=0 failed=()

# night NAME COMMAND...
night() {
	printf '\n== %s\n' "$1"
	if "${@:2}"; then
		passed=$((passed + 1))
	else
		failed+=("$1: exit status $?")
	fi
}

bash apps/setup.sh || exit 1
if [ ! -f .build/build.ninja ]; then
	CC=gcc meson setup .build || exit 1
fi
ninja -C .build || exit 1

night "the tests a change does not wait for" meson test -C .build --no-rebuild --setup night --suite nightly \
	--num-processes 1 --print-errorlogs
night "back end killed 100 times" env WEIR_KILLS=100 /usr/bin/python3 tests/system/vhost_kill.py "$weir"
night "10^8 lookups among the Internet's IPv4 prefixes" env LPM4_LOOKUPS=100000000 .build/tests/unit/test_netstack_lpm4_internet
night "10^8 lookups among the Internet's IPv6 prefixes" env LPM6_LOOKUPS=100000000 .build/tests/unit/test_netstack_lpm6_internet

night "200,000 routes by BGP, FRR and FPM; 10^6 lookups" env WEIR_FRR_ROUTES=200000 WEIR_FRR_LOOKUPS=1000000 \
	/usr/bin/python3 tests/system/frr_bird.py "$weir"

printf '\n'
for f in "${failed[@]+"${failed[@]}"}"; do
	echo "failed: $f"
done
echo "$passed passed, ${#failed[@]} failed"
[ ${#failed[@]} -eq 0 ]
