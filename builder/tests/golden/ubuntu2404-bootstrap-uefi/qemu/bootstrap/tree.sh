#!/usr/bin/env bash
# Made by builder from the specification of noble: change that, not this.
# What the tree of packages lacks to be a machine. usage: tree.sh ROOT    run by bootstrap.sh inside its namespace
set -euo pipefail
root=$1

cat > "$root/etc/fstab" <<'FSTAB'
UUID=5204cb63-178c-87f8-b520-afd239da3d03 none swap sw 0 0
UUID=bca3051c-14c6-8a88-8be2-4d77ac431300 / ext4 defaults 0 1
UUID=98BB-1B48 /boot/efi vfat umask=0077 0 1
FSTAB
echo localhost > "$root/etc/hostname"
printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' > "$root/etc/hosts"
echo 'LANG=en_US.UTF-8' > "$root/etc/default/locale"
if [ -e "$root/usr/sbin/locale-gen" ]; then
    echo 'en_US.UTF-8 UTF-8' >> "$root/etc/locale.gen"
    chroot "$root" locale-gen > /dev/null
fi
printf 'XKBMODEL="pc105"\nXKBLAYOUT="us"\n' > "$root/etc/default/keyboard"
ln -sf /usr/share/zoneinfo/Etc/UTC "$root/etc/localtime"
echo Etc/UTC > "$root/etc/timezone"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/resolv.conf"
if [ -e "$root/usr/lib/systemd/systemd-resolved" ]; then ln -s ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"; fi
: > "$root/etc/machine-id"
