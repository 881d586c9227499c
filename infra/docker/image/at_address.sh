#!/bin/sh
# Render gives the parts of an address and can't put them together: REDIS_ADDRESS (host:port) and REDIS_PASSWORD become REDIS_URL, then
# the command given as arguments runs. A generated password may hold characters that mean something in a URL.
set -eu
password=$(printf %s "${REDIS_PASSWORD:?is not set}" | sed 's|%|%25|g; s|/|%2F|g; s|+|%2B|g; s|=|%3D|g; s|@|%40|g; s|:|%3A|g; s|?|%3F|g; s|#|%23|g')
export REDIS_URL="redis://:$password@${REDIS_ADDRESS:?is not set}/0"
exec "$@"
