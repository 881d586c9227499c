# Heroku runs this before each process. Its Redis has a certificate that it signed itself, and its password is changed from time to
# time, so that the address can't be set by hand: https://devcenter.heroku.com/articles/connecting-heroku-redis, read 2026-11.
case "${REDIS_URL:-}" in
    rediss://*\?*) ;;
    rediss://*) export REDIS_URL="$REDIS_URL?ssl_cert_reqs=none" ;;
esac
