#!/bin/sh
set -e
# Flags and subcommands are for traefik; anything else is another program.
if [ "${1#-}" != "$1" ] || traefik "$1" --help >/dev/null 2>&1; then
  set -- traefik "$@"
fi
exec "$@"
