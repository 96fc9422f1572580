#!/bin/sh
# Renders the configuration to /tmp, then hands over to HAProxy in the foreground.
set -e
case "$DISABLE_IPV6" in
  1 | true | yes) BIND_CONFIG=:2375 ;;
  *) BIND_CONFIG='[::]:2375 v4v6' ;;
esac
sed -e "s|@BIND@|$BIND_CONFIG|" -e "s|@SOCKET@|$SOCKET_PATH|" -e "s|@LEVEL@|$LOG_LEVEL|" \
  /usr/local/etc/haproxy/haproxy.cfg.template >/tmp/haproxy.cfg
if [ "${1#-}" != "$1" ]; then
  set -- haproxy "$@"
fi
if [ "$1" = haproxy ]; then
  shift
  set -- haproxy -W -db "$@"
fi
exec "$@"
