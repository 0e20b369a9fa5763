#!/bin/sh
# enter.sh COPY PROGRAM [ARGUMENT]...
# Runs PROGRAM in the file system COPY/disk, with COPY/lab as /run/lab. Called in fresh namespaces (mount, pid, net,
# uts, ipc): the mounts end with the program. /proc and /sys are read only, the one door left to this machine.
set -eu
copy=$1 root=$1/root
shift
ip link set lo up # oscap looks for an address and stops without one
mount -o loop "$copy/disk" "$root"
mount -t proc -o ro,nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t tmpfs -o nosuid,mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
    touch "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"
mount -t tmpfs -o nosuid,nodev tmpfs "$root/dev/shm"
mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs "$root/run"
mkdir "$root/run/lab"
mount --bind "$copy/lab" "$root/run/lab"
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    chroot "$root" "$@"
