#!/bin/sh
set -e
# Flags and subcommands belong to traefik; anything else is a program of its own.
if [ "${1#-}" != "$1" ] || traefik "$1" --help >/dev/null 2>&1; then
  set -- traefik "$@"
fi
exec "$@"
