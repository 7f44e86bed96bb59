#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# record.sh - record real programs talking through a Linux router, as its two ports received them
#
# Usage: bash tests/captures/record.sh [DIRECTORY]     (root; about half a minute)
#
# Writes router-wan.pcap and router-lan.pcap (nanoseconds, only frames that *arrived* at the port) into
# DIRECTORY, by default next to this script. README.md beside it draws the network and counts the frames.
#
# Everything lives in namespaces of its own: processes, mounts (a private /run) and networks vanish with
# the first process however it ends, so nothing is left behind and nothing outside is touched.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)

if [ "${1:-}" != --inside ]; then
	out=$(cd "${1:-$here}" && pwd)
	if [ "$(id -u)" != 0 ]; then
		echo "record.sh: needs root, to make network namespaces; run it with sudo" >&2
		exit 1
	fi
	for tool in ip ethtool unshare tcpdump curl nginx dig dnsmasq iperf3 ping capinfos python3; do
		command -v $tool >/dev/null || { echo "record.sh: $tool is missing" >&2; exit 1; }
	done
	stage=$(mktemp -d)
	trap 'rm -rf "$stage"' EXIT
	timeout --kill-after=5 150 unshare --mount --pid --fork --kill-child --mount-proc --net -- \
		bash "$here/record.sh" --inside "$stage"
	mv "$stage"/router-wan.pcap "$stage"/router-lan.pcap "$out"
	for side in wan lan; do
		capinfos -M -c -s -u -l "$out/router-$side.pcap"
	done
	exit 0
fi

stage=$2
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/lock
ip link set lo up

# in NAMESPACE COMMAND...: run there, bounded, quiet unless it fails
in_ns() { ip netns exec "$@"; }
say() { echo "record: $*" >&2; }

# --- the network ---------------------------------------------------------------------------------

plain_wire() {
	# Frames must be what a wire carries: no segmentation, no unfinished checksums, no stripped tags.
	in_ns "$1" ethtool -K "$2" tso off gso off gro off tx off rx off sg off >/dev/null 2>&1
	ip -n "$1" link set "$2" up
}

# link HOST IFNAME MAC SWITCH: one cable from a host to a switch (a bridge in namespace SWITCH)
link() {
	local host=$1 ifname=$2 mac=$3 switch=$4
	ip -n "$switch" link add name "to-$host" type veth peer name "$ifname" netns "$host"
	ip -n "$host" link set "$ifname" address "$mac"
	ip -n "$switch" link set "to-$host" master br0
	in_ns "$switch" sysctl -qw "net.ipv6.conf.to-$host.disable_ipv6=1"
	plain_wire "$switch" "to-$host"
	plain_wire "$host" "$ifname"
}

make_switch() {
	ip netns add "$1"
	ip -n "$1" link add name br0 type bridge stp_state 0 mcast_snooping 0
	in_ns "$1" sysctl -qw net.ipv6.conf.br0.disable_ipv6=1
	ip -n "$1" link set br0 up
}

make_host() {
	ip netns add "$1"
	ip -n "$1" link set lo up
}

# host NAME MAC SWITCH V4 V6 GATEWAY4 GATEWAY6
host() {
	make_host "$1"
	link "$1" eth0 "$2" "$3"
	ip -n "$1" addr add "$4/24" dev eth0
	ip -n "$1" addr add "$5/64" dev eth0 nodad
	ip -n "$1" route add default via "$6"
	ip -n "$1" route add default via "$7"
}

# vlan NAMESPACE PARENT NAME MAC ADDRESS TAG...: a tagged interface (vlan_tap.py says why not ip link)
vlan() {
	local ns=$1 parent=$2 name=$3 mac=$4 address=$5 ready=/run/$1-$3.ready
	shift 5
	in_ns "$ns" /usr/bin/python3 "$here/vlan_tap.py" "$parent" "$name" "$mac" "$@" >"$ready" &
	for _ in $(seq 50); do
		grep -q ready "$ready" && break
		sleep 0.1
	done
	grep -q ready "$ready" || { say "vlan_tap.py for $name did not start"; exit 1; }
	in_ns "$ns" sysctl -qw "net.ipv6.conf.$name.disable_ipv6=1"
	ip -n "$ns" addr add "$address/24" dev "$name"
}

say "building the network"
make_switch wansw
make_switch lansw

make_host router
in_ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
link router wan 02:00:00:00:00:02 wansw
link router lan 02:00:00:00:00:01 lansw
for port in wan lan; do
	ip netns exec router timeout 140 tcpdump -i $port -Q in -n -s 0 -B 8192 -Z root --immediate-mode \
		--time-stamp-precision=nano -w "/run/router-$port.pcap" 2>"/run/tcpdump-$port.log" &
	dumps="${dumps:-} $!"
done
for port in wan lan; do
	for _ in $(seq 50); do
		grep -q 'listening on' "/run/tcpdump-$port.log" && break
		sleep 0.1
	done
done
ip -n router addr add 192.0.2.1/24 dev wan
ip -n router addr add 2001:db8:1::1/64 dev wan nodad
ip -n router addr add 198.51.100.1/24 dev lan
ip -n router addr add 2001:db8:2::1/64 dev lan nodad
ip -n router route add default via 192.0.2.254
ip -n router route add default via 2001:db8:1::254

host wan10 02:00:00:00:02:10 wansw 192.0.2.10 2001:db8:1::10 192.0.2.1 2001:db8:1::1
host wan11 02:00:00:00:02:11 wansw 192.0.2.11 2001:db8:1::11 192.0.2.1 2001:db8:1::1
host lan10 02:00:00:00:01:10 lansw 198.51.100.10 2001:db8:2::10 198.51.100.1 2001:db8:2::1
host lan11 02:00:00:00:01:11 lansw 198.51.100.11 2001:db8:2::11 198.51.100.1 2001:db8:2::1

# The provider's router, with one server behind it; no default route of its own, so it says "unreachable".
make_host isp
in_ns isp sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
link isp eth0 02:00:00:00:00:fe wansw
ip -n isp addr add 192.0.2.254/24 dev eth0
ip -n isp addr add 2001:db8:1::254/64 dev eth0 nodad
ip -n isp route add 198.51.100.0/24 via 192.0.2.1
ip -n isp route add 2001:db8:2::/64 via 2001:db8:1::1
make_host remote
ip -n isp link add name behind type veth peer name eth0 netns remote
plain_wire isp behind
plain_wire remote eth0
ip -n isp addr add 203.0.113.1/24 dev behind
ip -n remote addr add 203.0.113.10/24 dev eth0
ip -n remote route add default via 203.0.113.1

# VLAN 10 on the lan wire, VLAN 20 on the wan wire, and a QinQ pair 100.10 on the lan wire.
make_host lanv
link lanv eth0 02:00:00:00:01:20 lansw
in_ns lanv sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
make_host wanv
link wanv eth0 02:00:00:00:02:20 wansw
in_ns wanv sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
vlan router lan lan-10 02:00:00:00:00:01 10.0.10.1 q:10
vlan router lan lan-100-10 02:00:00:00:00:01 10.0.100.1 ad:100 q:10
vlan router wan wan-20 02:00:00:00:00:02 10.0.20.1 q:20
vlan lanv eth0 eth0-10 02:00:00:00:01:20 10.0.10.10 q:10
vlan lanv eth0 eth0-100-10 02:00:00:00:01:20 10.0.100.10 ad:100 q:10
vlan wanv eth0 eth0-20 02:00:00:00:02:20 10.0.20.10 q:20
ip -n lanv route add default via 10.0.10.1
ip -n wanv route add default via 10.0.20.1

# --- servers -------------------------------------------------------------------------------------

start_nginx() {
	local ns=$1 dir=/run/nginx-$1
	mkdir -p "$dir/www"
	for size in 100 1000 10000 30000; do
		head -c "$size" /run/text >"$dir/www/$size"
	done
	cat >"$dir/nginx.conf" <<-END
		worker_processes 1;
		daemon off;
		user root;
		pid $dir/nginx.pid;
		error_log $dir/error.log;
		events { worker_connections 64; }
		http {
			access_log off;
			client_body_temp_path $dir; proxy_temp_path $dir; fastcgi_temp_path $dir;
			uwsgi_temp_path $dir; scgi_temp_path $dir;
			server { listen 80; listen [::]:80; root $dir/www; }
		}
	END
	in_ns "$ns" timeout 140 nginx -c "$dir/nginx.conf" 2>/dev/null &
}

start_dns() {
	in_ns "$1" timeout 140 dnsmasq --keep-in-foreground --user=root --pid-file="/run/dns-$1.pid" --no-resolv \
		--no-hosts --bind-interfaces --listen-address=192.0.2.10 --listen-address=2001:db8:1::10 \
		--host-record=www.example.net,192.0.2.10,2001:db8:1::10 --mx-host=example.net,mail.example.net,10 \
		--txt-record=big.example.net,"$(printf 'x%.0s' $(seq 200))","$(printf 'y%.0s' $(seq 200))" \
		--address=/example.net/192.0.2.10 2>/dev/null &
}

say "starting servers"
seq -w 10000 >/run/text
start_nginx wan10
start_nginx lan11
start_nginx remote
start_nginx wanv
start_dns wan10
in_ns wan10 timeout 140 iperf3 -s >/dev/null &
in_ns lan11 timeout 140 iperf3 -s >/dev/null &
sleep 1

# --- traffic -------------------------------------------------------------------------------------

# must COMMAND...: it has to succeed, or the recording is not what it claims
must() { timeout 10 ip netns exec "$@" >/dev/null 2>/run/err || { say "failed: $*"; cat /run/err >&2; exit 1; }; }
# may COMMAND...: it is meant to fail (lost, refused, unreachable)
may() { timeout 10 ip netns exec "$@" >/dev/null 2>&1 || true; }

say "ping"
must lan10 ping -c 2 -i 0.1 198.51.100.1
for size in 0 56 1000 1472 1473 3000; do
	must lan10 ping -c 2 -i 0.02 -s "$size" 192.0.2.10
done
must wan11 ping -c 2 -i 0.02 -s 2000 198.51.100.11
must lan10 ping -c 3 -i 0.02 -t 2 192.0.2.11
must lan11 ping -c 2 -i 0.02 -Q 0xb8 203.0.113.10
must lan10 ping -c 1 -R 192.0.2.10
must lan11 ping -c 1 -T tsandaddr 192.0.2.10
must lan11 ping6 -c 2 -i 0.02 2001:db8:1::10
must lan11 ping6 -c 1 -s 3000 2001:db8:1::11
must wan10 ping6 -c 2 -i 0.02 2001:db8:2::11

say "http"
for size in 100 1000 10000 30000; do
	must lan10 curl -sS -m 5 -o /dev/null "http://192.0.2.10/$size"
done
must wan11 curl -sS -m 5 -o /dev/null http://198.51.100.11/10000
must lan11 curl -sS -m 5 -o /dev/null http://203.0.113.10/1000
must lan11 curl -sS -m 5 -o /dev/null -o /dev/null http://192.0.2.10/100 http://192.0.2.10/1000
must lan11 curl -sS -m 5 -o /dev/null 'http://[2001:db8:1::10]/10000'
must wan11 curl -sS -m 5 -o /dev/null 'http://[2001:db8:2::11]/1000'
may lan10 curl -sS -m 5 http://192.0.2.11/
may wan10 curl -sS -m 5 http://198.51.100.10/

say "dns"
for query in "www.example.net A" "www.example.net AAAA" "example.net MX" "big.example.net TXT"; do
	must lan10 dig +tries=1 +time=2 @192.0.2.10 ${query}
	must lan11 dig +tries=1 +time=2 @2001:db8:1::10 ${query}
done
must lan10 dig +tcp +tries=1 +time=2 @192.0.2.10 www.example.net A
may lan10 dig +tries=1 +time=1 @192.0.2.11 www.example.net A

say "iperf3"
must lan10 iperf3 -c 192.0.2.10 -l 4K -n 28K
must lan10 iperf3 -c 192.0.2.10 -l 4K -n 28K -R
must wan11 iperf3 -c 198.51.100.11 -u -l 200 -b 500K -n 8K
must lan10 iperf3 -c 192.0.2.10 -u -l 1400 -b 2M -n 14K -R
must lan10 iperf3 -6 -c 2001:db8:1::10 -l 4K -n 8K

say "vlan"
must lanv ping -c 3 -i 0.02 10.0.20.10
must lanv ping -c 1 -s 2000 10.0.20.10
must lanv curl -sS -m 5 -o /dev/null http://10.0.20.10/1000
must lanv ping -c 3 -i 0.02 10.0.100.1

say "what a router refuses"
must lan10 /usr/bin/python3 -c '
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for ttl in range(1, 5):
    for probe in range(3):
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        sock.sendto(b"traceroute probe %d.%d" % (ttl, probe), ("203.0.113.10", 33434 + 3 * ttl + probe))
'
may lan11 ping -c 2 -i 0.02 -W 1 -t 1 192.0.2.10
may wan11 ping -c 2 -i 0.02 -W 1 -t 1 198.51.100.10
may lan11 ping6 -c 2 -i 0.02 -W 1 -t 1 2001:db8:1::10
may lan11 ping -c 2 -i 0.02 -W 1 198.18.0.1
may lan10 dig +tries=1 +time=1 @198.51.100.1 www.example.net A
may lan10 curl -sS -m 2 http://192.0.2.1/
may lan10 ping -c 2 -i 0.02 -W 1 -b 198.51.100.255
may lan10 ping -c 2 -i 0.1 -W 4 192.0.2.99

# --- done ----------------------------------------------------------------------------------------

sleep 0.5
for pid in $dumps; do
	# timeout hands the signal on to tcpdump and ends with it
	kill -TERM "$pid"
	wait "$pid" || true
done
for port in wan lan; do
	grep -q '^0 packets dropped by kernel' "/run/tcpdump-$port.log" ||
		{ say "tcpdump lost packets on $port"; cat "/run/tcpdump-$port.log" >&2; exit 1; }
	cp "/run/router-$port.pcap" "$stage"
done
