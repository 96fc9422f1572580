#!/bin/sh
# Installs a wheel in an ARM root file system, brings the light services up there, and asks them.
# Arguments: the root, a folder with the wheel and for the overlay.
set -eu
root=$1 layer=$2
mount --make-rprivate /
mkdir "$layer/mem"
mount -t tmpfs arcctl "$layer/mem"
mkdir -p "$layer/mem/work" "$layer/mem/upper/opt" "$layer/mem/root"
cp -r "$layer/wheel" "$layer/mem/upper/opt"
mount -t overlay arcctl -o "lowerdir=$root,upperdir=$layer/mem/upper,workdir=$layer/mem/work" "$layer/mem/root"
mount -t proc proc "$layer/mem/root/proc"
mount --rbind /dev "$layer/mem/root/dev"
mount -t tmpfs arcctl "$layer/mem/root/tmp"
ip link set lo up
cd "$layer/mem/root"
exec chroot . env -i PATH=/opt/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
  ARCCTL_ENGINE=embedded sh -euc '
  pip install --quiet --no-index --no-deps /opt/wheel/arcctl-*.whl
  mkdir -p /srv/project
  cd /srv/project
  echo "on $(uname -m)"
  arcctl init
  arcctl up --timeout 1200 "$@"
  arcctl health --timeout 120 "$@"
  arcctl verify --timeout 300 "$@"
  arcctl clean --yes
' arm64 postgres redis nats traefik
