#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# need.sh — install the packages that are missing. Arguments: package:command, or package:/path,
# the path below /usr that shows that the package is there.
set -eu

missing=
for word in "$@"; do
	package=${word%%:*}
	sign=${word#*:}
	case $sign in
	/*) test -e "/usr$sign" || missing="$missing $package" ;;
	*) PATH="$PATH:/usr/sbin:/sbin" command -v "$sign" >/dev/null 2>&1 ||
		missing="$missing $package" ;;
	esac
done
test -n "$missing" || exit 0

if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
	echo "These Debian packages are missing:$missing" >&2
	echo "Install them as root: apt-get install$missing" >&2
	exit 1
fi
echo "Installing with apt-get:$missing"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
# a policy that starts no service: the tests start their own servers
policy=/usr/sbin/policy-rc.d
own_policy=
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod +x "$policy"
	own_policy=yes
fi
install() {
	# shellcheck disable=SC2086
	apt-get install -y -q --no-install-recommends $missing >"$log" 2>&1
}
status=0
install || { apt-get update -q >>"$log" 2>&1 && install; } || status=$?
test -z "$own_policy" || rm -f "$policy"
if [ "$status" != 0 ]; then
	tail -n 20 "$log" >&2
	echo "apt-get could not install:$missing" >&2
fi
rm -f "$log"
exit "$status"
