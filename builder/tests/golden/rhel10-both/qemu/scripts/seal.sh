#!/bin/bash
# Made by builder from the specification of rhel10: change that, not this.
# The last thing that runs: takes away what only this build needed and what no two machines may share, and switches off.
# Where a step fails the machine stays on, so that the build fails too.
if [ -c /dev/ttyS1 ] && true 2> /dev/null > /dev/ttyS1; then exec > >(tee -a /dev/ttyS1) 2>&1; fi
trap 'echo "trempe: sealing failed at line $LINENO"' ERR
set -eEuxo pipefail
export HOME=/root
shopt -s nullglob

# The build user, once it is logged out.
loginctl terminate-user trempe-build || true
for _ in 1 2 3 4 5; do pkill -KILL -u trempe-build || break; sleep 1; done
userdel --force --remove trempe-build || true
rm -f /etc/sudoers.d/trempe-build /etc/sudoers.d/90-cloud-init-users /etc/{passwd,shadow,group,gshadow,subuid,subgid}-
if id trempe-build 2> /dev/null || grep -rs trempe-build /etc/passwd /etc/shadow /etc/group /etc/sudoers /etc/sudoers.d /etc/ssh; then
    echo "trempe: the build user is still there"
    false
fi
test ! -e /home/trempe-build
rm -rf /root/.ssh /root/.bash_history /root/{anaconda-ks,original-ks}.cfg /root/trempe-post.log

# cloud-init begins anew on every machine; what installers left behind would keep it from finding its data.
cloud-init clean --logs --seed
rm -f /etc/cloud/cloud-init.disabled /etc/cloud/ds-identify.cfg
rm -f /etc/cloud/cloud.cfg.d/{99-installer,90-installer-network,20-disable-cc-dpkg-grub,99_disable-network-config,curtin-preserve-sources}.cfg
rm -f /etc/cloud/cloud.cfg.d/*subiquity-disable-cloudinit-networking.cfg /etc/cloud/clean.d/99-installer
if grep -ls '^network:' /etc/cloud/cloud.cfg.d/*.cfg; then
    echo "trempe: a network: key of the image would outdo what a machine is given"
    false
fi
rm -f /etc/netplan/*.yaml /etc/network/interfaces.d/50-cloud-init* /etc/systemd/network/10-cloud-init-*
rm -f /etc/NetworkManager/system-connections/* /etc/sysconfig/network-scripts/ifcfg-e* /etc/udev/rules.d/70-persistent-net.rules
if [ -e /etc/network/interfaces ]; then
    printf 'source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n' > /etc/network/interfaces
fi

# What makes a machine itself.
rm -f /etc/ssh/ssh_host_*
: > /etc/machine-id
[ -L /var/lib/dbus/machine-id ] || rm -f /var/lib/dbus/machine-id
rm -f /var/lib/systemd/random-seed /var/lib/systemd/credential.secret /var/lib/dhcp/*.leases /var/lib/NetworkManager/*.lease
rm -rf /var/lib/trempe
# The disks by their serial numbers that LVM may look at (RHEL 9 and newer). Without it all are looked at.
rm -rf /etc/lvm/devices/system.devices /etc/lvm/devices/backup

# What only takes room.
{ command -v subscription-manager && subscription-manager unregister && subscription-manager clean; } || true
dnf clean all
rm -rf /var/cache/dnf
journalctl --quiet --rotate || true
rm -rf /var/log/journal/* /var/log/installer /var/log/anaconda
find /var/log -type f \( -name '*.gz' -o -name '*.old' -o -name '*.1' \) -delete
find /var/log -type f -exec truncate --size 0 {} +
find /tmp /var/tmp -xdev -mindepth 1 -not -name lost+found -delete || true
rm -f /root/trempe-seal.sh
sync
fstrim --all || true
echo "trempe: sealed"
systemctl poweroff
