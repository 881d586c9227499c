#!/bin/sh
# Starts the image's Redis. The password goes in by standard input: a command line is seen by everybody on the machine.
set -eu
: "${REDIS_PASSWORD:?is not set}"
exec docker-entrypoint.sh redis-server - <<END
include $(dirname "$0")/redis.conf
dir ${REDIS_DIR:-/data}
port ${REDIS_PORT:-6379}
maxmemory ${REDIS_MAXMEMORY:-512mb}
# Nobody empties it by mistake.
user default on >$REDIS_PASSWORD ~* &* +@all -flushall -flushdb
END
