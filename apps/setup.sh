#!/usr/bin/env bash
# setup.sh - install the Debian packages that building, running and testing Weir needs
#
# Idempotent: packages that are there are left alone, and then nothing needs root. Says what it does.
set -euo pipefail

packages=(
	# build
	gcc libc6-dev meson ninja-build pkg-config binutils musl-dev
	libdpdk-dev libipsec-mb-dev libpcap-dev libyaml-dev libjansson-dev libncurses-dev libnuma-dev libxdp-dev libbpf-dev libelf-dev
	# run: QEMU, its PVH and q35 firmware
	qemu-system-x86 qemu-system-data seabios
	# tests: unit, fuzz, peers
	libcmocka-dev clang libclang-rt-14-dev valgrind python3 python3-scapy python3-yaml python3-pyte
	dpdk dpdk-dev iproute2 iputils-ping ethtool iperf3 tcpdump tcpreplay procps gzip
	openvswitch-switch-dpdk frr bird2 chromium
)

missing=()
for p in "${packages[@]}"; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$p")
done
if [ ${#missing[@]} -eq 0 ]; then
	echo "setup: all ${#packages[@]} Debian packages are installed"
	exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "setup: these packages are missing: ${missing[*]}" >&2
		echo "setup: installing them needs root: run this as root, or install sudo" >&2
		exit 1
	}
	as_root=(sudo)
fi

echo "setup: installing ${#missing[@]} Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
step() {
	if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		echo "setup: '$*' failed: see above" >&2
		exit 1
	fi
}
step apt-get update -q
# Open vSwitch, FRR and BIRD would start as services: the tests run them themselves, and nobody asked for more.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	"${as_root[@]}" sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
	trap 'rm -f "$log"; "${as_root[@]}" rm -f "$policy"' EXIT
fi
step apt-get install -q -y --no-install-recommends "${missing[@]}"
# Nor at the next boot.
for service in openvswitch-switch-dpdk:openvswitch-switch frr:frr bird2:bird; do
	case " ${missing[*]} " in
	*" ${service%:*} "*) [ ! -d /run/systemd/system ] || step systemctl disable -q "${service#*:}" ;;
	esac
done
echo "setup: done"
