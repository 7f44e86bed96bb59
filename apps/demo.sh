#!/usr/bin/env bash
# demo.sh - install what is missing, build, boot the router image under QEMU, send a recorded capture
# through it over vhost-user, and show what happened to every packet
#
# Exit 0 only when nothing was lost and the books balance. Options go to apps/demo.py (--help).
set -euo pipefail
cd "$(dirname "$0")/.."

bash apps/setup.sh
if [ ! -f .build/build.ninja ]; then
	echo "demo: configuring .build"
	CC=gcc meson setup .build >/dev/null
fi
echo "demo: building (about a minute the first time)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
ninja -C .build >"$log" 2>&1 || {
	tail -n 30 "$log" >&2
	echo "demo: the build failed: see above" >&2
	exit 1
}
/usr/bin/python3 apps/demo.py --weir .build/apps/weir "$@"
