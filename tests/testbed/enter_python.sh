#!/bin/sh
# Runs the unit tests in another root file system; fails also where they leave out a branch of the pure modules.
# Arguments: the root, a folder for the overlay, venv, checkout.
set -eu
root=$1 layer=$2 venv=$3 checkout=$4
mount --make-rprivate /
mkdir -p "$layer/mem" "$layer/root"
mount -t tmpfs arcctl "$layer/mem"
mkdir "$layer/mem/work" "$layer/mem/upper"
cp -a "$layer/new/." "$layer/mem/upper"
mount -t overlay arcctl -o "lowerdir=$root,upperdir=$layer/mem/upper,workdir=$layer/mem/work" "$layer/root"
mount -t proc proc "$layer/root/proc"
mount --rbind /dev "$layer/root/dev"
mount -t tmpfs arcctl "$layer/root/tmp"
ip link set lo up 2>/dev/null || true
cd "$layer/root"
exec chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CI=true sh -ec '
  cd "$1"
  "$2/bin/pip" install --quiet --no-deps --no-build-isolation --no-index --editable .
  "$2/bin/python" -m coverage run -m pytest -q -m "not docker" --ignore tests/e2e
  exec "$2/bin/python" -m coverage report
' tests "$checkout" "$venv"
