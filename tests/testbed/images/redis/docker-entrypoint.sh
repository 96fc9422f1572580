#!/bin/sh
# Written from the official image's contract: drop privileges only when the capabilities to do so are there.
set -e

# The first argument is a flag or a configuration file.
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
  set -- redis-server "$@"
fi

# Whether the effective set holds SETGID (bit 6) and SETUID (bit 7).
may_change_user() {
  caps=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
  low=${caps#"${caps%??}"}
  [ $((0x$low & 0xc0)) -eq $((0xc0)) ]
}

# Change the owner of /data only if it has no files of other programs.
fix_data_owner() {
  [ -z "$SKIP_FIX_PERMS" ] || return 0
  foreign=$(find . -mindepth 1 -maxdepth 1 ! -name '*.rdb' ! -name appendonlydir | head -n 1)
  if [ -z "$foreign" ]; then
    find . ! -user redis -exec chown redis '{}' + || true
  fi
}

if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ] && [ -z "$SKIP_DROP_PRIVS" ] && may_change_user; then
  fix_data_owner
  # By its path: busybox has an applet of the same name with fewer options.
  exec /usr/bin/setpriv --reuid=redis --regid=redis --clear-groups --no-new-privs --bounding-set=-all "$0" "$@"
fi

if [ "$(umask)" = 0022 ]; then
  umask 0077
fi

# The official image turns protected mode off; Debian's build does not. Options of the caller come later and win.
if [ "$1" = redis-server ]; then
  shift
  case ${1:-} in
    -v | --version | -h | --help) ;;
    *.conf) config=$1 && shift && set -- "$config" "$@" ;;
    *) set -- --protected-mode no "$@" ;;
  esac
  set -- redis-server "$@"
fi
exec "$@"
