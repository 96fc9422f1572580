#!/usr/bin/env bash
# Written from the documentation of the official image: settings are used only while the data folder is empty.
set -Eeuo pipefail

fail() {
  echo "Error: $1" >&2
  exit 1
}

# Reads NAME or NAME_FILE, not both, into NAME.
setting() {
  local name=$1 file="${1}_FILE" default=${2:-}
  if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
    fail "both $name and $file are set (but are exclusive)"
  fi
  if [ -n "${!file:-}" ]; then
    export "$name=$(<"${!file}")"
  elif [ -z "${!name:-}" ]; then
    export "$name=$default"
  fi
  unset "$file"
}

# Since 18 the volume is mounted one level higher; data below the old path would be ignored.
refuse_old_mount() {
  [ "$PGDATA" = "/var/lib/postgresql/$PG_MAJOR/docker" ] || return 0
  local old=/var/lib/postgresql/data
  if [ -s "$old/PG_VERSION" ] || grep -q " $old " /proc/self/mountinfo; then
    fail "in 18+, these Docker images store data in $PGDATA: found $old (unused mount/volume). Mount /var/lib/postgresql instead."
  fi
}

prepare_folders() {
  mkdir -p "$PGDATA"
  chmod 00700 "$PGDATA" || true
  mkdir -p /var/run/postgresql || true
  chmod 03775 /var/run/postgresql || true
  if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
    find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
  fi
}

create_cluster() {
  local arguments=()
  [ -n "$POSTGRES_INITDB_ARGS" ] && read -r -a arguments <<<"$POSTGRES_INITDB_ARGS"
  [ -n "${POSTGRES_INITDB_WALDIR:-}" ] && arguments+=(--waldir "$POSTGRES_INITDB_WALDIR")
  initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${arguments[@]}"
}

require_password() {
  [ -n "$POSTGRES_PASSWORD" ] && return 0
  [ "${POSTGRES_HOST_AUTH_METHOD:-}" = trust ] && return 0
  fail "Database is uninitialized and superuser password is not specified. You must specify POSTGRES_PASSWORD to a non-empty value for the superuser."
}

temporary_server() {
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -o "$(printf '%q ' -c listen_addresses= -p 5432 "$@")" -w start
}

client() {
  psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --no-password "$@"
}

create_database() {
  [ "$POSTGRES_DB" = postgres ] && return 0
  echo 'CREATE DATABASE :"db";' | client --dbname postgres -v db="$POSTGRES_DB"
}

run_hook() {
  case $1 in
    *.sh)
      if [ -x "$1" ]; then
        echo "$0: running $1"
        "$1"
      else
        echo "$0: sourcing $1"
        # shellcheck disable=SC1090
        . "$1"
      fi
      ;;
    *.sql) echo "$0: running $1" && client --dbname "$POSTGRES_DB" -f "$1" ;;
    *.sql.gz) echo "$0: running $1" && gunzip -c "$1" | client --dbname "$POSTGRES_DB" ;;
    *.sql.xz) echo "$0: running $1" && xzcat "$1" | client --dbname "$POSTGRES_DB" ;;
    *.sql.zst) echo "$0: running $1" && zstd -dc "$1" | client --dbname "$POSTGRES_DB" ;;
    *) echo "$0: ignoring $1" ;;
  esac
}

run_hooks() {
  local hook
  for hook in /docker-entrypoint-initdb.d/*; do
    [ -e "$hook" ] && run_hook "$hook"
  done
  return 0
}

allow_network() {
  printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
}

initialise() {
  require_password
  create_cluster
  allow_network
  export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
  temporary_server "$@"
  create_database
  run_hooks
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  echo 'PostgreSQL init process complete; ready for start up.'
}

wants_help() {
  local argument
  for argument in "$@"; do
    case $argument in -'?' | --help | --describe-config | -V | --version) return 0 ;; esac
  done
  return 1
}

main() {
  if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
  if [ "$1" = postgres ] && ! wants_help "$@"; then
    prepare_folders
    if [ "$(id -u)" = 0 ]; then
      exec setpriv --reuid=postgres --regid=postgres --init-groups "$BASH_SOURCE" "$@"
    fi
    setting POSTGRES_PASSWORD
    setting POSTGRES_USER postgres
    setting POSTGRES_DB "$POSTGRES_USER"
    setting POSTGRES_INITDB_ARGS
    if [ -s "$PGDATA/PG_VERSION" ]; then
      echo 'PostgreSQL Database directory appears to contain a database; Skipping initialization'
    else
      refuse_old_mount
      initialise "${@:2}"
    fi
  fi
  exec "$@"
}

main "$@"
