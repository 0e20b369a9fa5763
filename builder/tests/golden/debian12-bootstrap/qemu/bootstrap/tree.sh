#!/usr/bin/env bash
# Made by builder from the specification of debian12: change that, not this.
# What the tree of packages lacks to be a machine. usage: tree.sh ROOT    run by bootstrap.sh inside its namespace
set -euo pipefail
root=$1

cat > "$root/etc/fstab" <<'FSTAB'
UUID=4031d350-3663-82dd-9b79-8c4066dec96d / ext4 defaults 0 1
UUID=1036e35b-a3d2-843b-a24a-96245b95b411 /boot ext4 defaults 0 2
UUID=57CF-85C3 /boot/efi vfat umask=0077 0 1
UUID=4fc432ca-2dcc-8160-9130-bf20828682df /home ext4 defaults 0 2
UUID=990a208b-1615-84a7-bffc-ac4bd6699776 /tmp ext4 defaults 0 2
UUID=4e76a6d0-5d57-88e6-92ce-db01ec4eaa55 /var ext4 defaults 0 2
UUID=5c0f19c8-e6e7-806c-a7a9-90527b493a37 /var/log ext4 defaults 0 2
UUID=78f5efd2-6f96-8438-8e00-201c19ff0978 /var/log/audit ext4 defaults 0 2
UUID=fd33ed7a-41ac-8e89-88c7-c7827ce051ba /var/tmp ext4 defaults 0 2
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
