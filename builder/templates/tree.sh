#!/usr/bin/env bash
# {{ header }}
# What the tree of packages lacks to be a machine. usage: tree.sh ROOT    run by bootstrap.sh inside its namespace
set -euo pipefail
root=$1

cat > "$root/etc/fstab" <<'FSTAB'
{% for part in layout.partitions | sort(attribute="mount") if part.fstab %}
{{ part.fstab }}
{% endfor %}
FSTAB
echo localhost > "$root/etc/hostname"
printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' > "$root/etc/hosts"
echo 'LANG={{ language }}' > "$root/etc/default/locale"
if [ -e "$root/usr/sbin/locale-gen" ]; then
    echo '{{ language }} UTF-8' >> "$root/etc/locale.gen"
    chroot "$root" locale-gen > /dev/null
fi
printf 'XKBMODEL="pc105"\nXKBLAYOUT="{{ keyboard }}"\n' > "$root/etc/default/keyboard"
ln -sf /usr/share/zoneinfo/{{ timezone }} "$root/etc/localtime"
echo {{ timezone }} > "$root/etc/timezone"
{% if os.family == "debian" %}
mkdir -p "$root/etc/network"
printf 'source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n' > "$root/etc/network/interfaces"
{% endif %}
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/resolv.conf"
if [ -e "$root/usr/lib/systemd/systemd-resolved" ]; then ln -s ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"; fi
: > "$root/etc/machine-id"
