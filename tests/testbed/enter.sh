#!/bin/sh
# Runs dockerd inside the current mount namespace. Arguments: the root, then every path to mount inside it.
# Its options are in $DOCKERD; with $OWN_RUN it has sockets of its own beside another engine with this root.
# pivot_root and not chroot: with chroot, `docker exec`, health checks and `docker cp` use the root of the machine.
set -eu
root=$1
shift
mount --make-rprivate /
mount --bind "$root" "$root"
for path in /proc /sys /dev; do
  mount --rbind "$path" "$root$path"
done
for path in "$@"; do
  mkdir -p "$root$path"
  mount --bind "$path" "$root$path"
done
if [ -n "${OWN_RUN:-}" ]; then
  mount -t tmpfs tmpfs "$root/run"
fi
cat /etc/resolv.conf >"$root/etc/resolv.conf"
mkdir -p "$root/.machine"
cd "$root"
pivot_root . .machine
cd /
umount -l /.machine
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
  dockerd --log-level warn $DOCKERD
