#!/bin/bash
# Made by builder from the specification of debian13: change that, not this.
# Puts the agent and the image's configuration in place. Nothing is hardened here. Run as root in the guest.
if [ -c /dev/ttyS1 ] && true 2> /dev/null > /dev/ttyS1; then exec > >(tee -a /dev/ttyS1) 2>&1; fi
trap 'echo "trempe: provisioning failed at line $LINENO"' ERR
set -eEuxo pipefail
export DEBIAN_FRONTEND=noninteractive
cd /home/trempe-build

dpkg --install trempe-agent.deb
install -D -m 0644 files/agent.yml /etc/trempe/agent.yml
install -D -m 0644 files/90-trempe-image.cfg /etc/cloud/cloud.cfg.d/90-trempe-image.cfg

# Old VMware Tools look for this in the main file alone, and take the perl scripts when it is not there.
sed -i '/^disable_vmware_customization:/d' /etc/cloud/cloud.cfg
echo 'disable_vmware_customization: false' >> /etc/cloud/cloud.cfg
systemctl is-enabled cloud-init.service 2> /dev/null || systemctl is-enabled cloud-init-network.service
/usr/bin/agent --version
dpkg-query --show --showformat '${Package}\t${Version}\t${Architecture}\n' | sort > packages.tsv
chown trempe-build: packages.tsv
echo "trempe: provisioned"
