#!/usr/bin/env bash
# Made by builder from the specification of debian12: change that, not this.
# What the tree of packages lacks to be a machine. usage: tree.sh ROOT    run by bootstrap.sh inside its namespace
set -euo pipefail
root=$1

cat > "$root/etc/fstab" <<'FSTAB'
UUID=e7c9bf0d-cdbd-8c23-8480-7a030006c71c / ext4 defaults 0 1
UUID=b43352ea-3502-8159-aa32-aa9e073dd12f /boot ext4 defaults 0 2
UUID=57CF-85C3 /boot/efi vfat umask=0077 0 1
UUID=bfd2b375-50a2-85e4-ba63-4dc58ceb5f56 /home ext4 defaults 0 2
UUID=c0ad8f1f-712e-8614-ae53-7b0b4132a9a4 /tmp ext4 defaults 0 2
UUID=e033b6bb-30a3-8aac-91e0-5c899ce610ba /var ext4 defaults 0 2
UUID=fceac273-b7d5-8b8c-8768-da57364d73e0 /var/log ext4 defaults 0 2
UUID=f1016ea5-1ffa-83c2-8be3-a6ce5712eae9 /var/log/audit ext4 defaults 0 2
UUID=d82a543c-c268-81d0-aac2-2121f8521904 /var/tmp ext4 defaults 0 2
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
mkdir -p "$root/etc/network"
printf 'source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n' > "$root/etc/network/interfaces"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/resolv.conf"
if [ -e "$root/usr/lib/systemd/systemd-resolved" ]; then ln -s ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"; fi
: > "$root/etc/machine-id"
