#!/bin/bash
# A setting in a file: GF_<SECTION>_<KEY>__FILE names it; giving both forms is an error, as in the official image.
set -e
for file_name in $(compgen -e | grep '^GF_.*__FILE$' || true); do
  name=${file_name%__FILE}
  if [ -n "${!name:-}" ]; then
    echo "ERROR: Both $name and $file_name are set (but are exclusive)" >&2
    exit 1
  fi
  export "$name=$(<"${!file_name}")"
  unset "$file_name"
done
if [ ! -w "$GF_PATHS_DATA" ]; then
  echo "GF_PATHS_DATA='$GF_PATHS_DATA' is not writable." >&2
  exit 1
fi
exec /usr/local/bin/python -m stub
