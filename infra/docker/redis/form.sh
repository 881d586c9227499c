#!/bin/sh
# Makes one cluster of the nodes in NODES, such as "10.231.87.11:6379 10.231.87.12:6379 ...", primaries first; of those that are one
# already it changes nothing. The password is in REDIS_PASSWORD.
set -eu
: "${REDIS_PASSWORD:?is not set}" "${NODES:?is not set}"
export REDISCLI_AUTH="$REDIS_PASSWORD"
first=${NODES%% *}
known=$(redis-cli -h "${first%:*}" -p "${first#*:}" cluster info | tr -d '\r' | sed -n 's/^cluster_known_nodes://p')
[ "$known" = 1 ] || exit 0
# shellcheck disable=SC2086 # several words on purpose
redis-cli --cluster create $NODES --cluster-replicas 1 --cluster-yes
