#!/bin/sh
# Starts the image's Redis. The password goes in by standard input: a command line is seen by everybody on the machine.
#
# Nobody reaches it before its file is whole. Redis up to 8.2 cuts a file that a power cut tore within a script's record at the last whole
# command, inside of an open MULTI, and all that is written behind that is undone at the next orderly start. So a load that made the file
# shorter is done once more, which takes the open block away; only then the port is opened.
#
# With REDIS_CLUSTER=yes it is a node of a cluster, which form.sh makes of several.
set -eu
: "${REDIS_PASSWORD:?is not set}"
dir=${REDIS_DIR:-/data}
port=${REDIS_PORT:-6379}
bus=${REDIS_BUS_PORT:-16379}
socket=$(mktemp -u /tmp/redis-XXXXXX.sock)
server=

# A primary that is missing takes only its own slots along. Other nodes are told the port that is opened at the end.
as_a_node() {
    [ "${REDIS_CLUSTER:-no}" = yes ] || return 0
    cat <<END
cluster-enabled yes
cluster-require-full-coverage no
cluster-port $bus
cluster-announce-port $port
cluster-announce-bus-port $bus
masterauth $REDIS_PASSWORD
repl-diskless-sync-delay 0
END
}

load() {
    docker-entrypoint.sh redis-server - <<END &
include $(dirname "$0")/redis.conf
dir "$dir"
port 0
unixsocket $socket
unixsocketperm 700
maxmemory ${REDIS_MAXMEMORY:-512mb}
# Nobody empties it by mistake.
user default on >$REDIS_PASSWORD ~* &* +@all -flushall -flushdb
$(as_a_node)
END
    server=$!
    until [ "$(ask ping)" = PONG ]; do
        kill -0 "$server" 2>/dev/null || ended
        sleep 0.1
    done
}

ask() {
    REDISCLI_AUTH=$REDIS_PASSWORD redis-cli -s "$socket" "$@" 2>/dev/null || true
}

written() {
    stat -c %s "$dir"/appendonlydir/*.incr.aof 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }'
}

# Ends with the server, and as it did. A signal ends a wait before the server does.
ended() {
    code=0
    wait "$server" || code=$?
    while kill -0 "$server" 2>/dev/null; do
        code=0
        wait "$server" || code=$?
    done
    exit "$code"
}

trap 'kill -TERM "$server" 2>/dev/null' TERM INT
before=$(written)
load
if [ "$(written)" -lt "$before" ]; then
    kill -TERM "$server"
    wait "$server" || true
    load
fi
ask CONFIG SET port "$port" >/dev/null
ended
