#!/bin/bash
# {{ header }}
# Puts the agent and the image's configuration in place. Nothing is hardened here. Run as root in the guest.
if [ -c /dev/ttyS1 ] && true 2> /dev/null > /dev/ttyS1; then exec > >(tee -a /dev/ttyS1) 2>&1; fi
trap 'echo "trempe: provisioning failed at line $LINENO"' ERR
set -eEuxo pipefail
export DEBIAN_FRONTEND=noninteractive
cd {{ home }}
{% if source != "iso" %}

# What the first boot of this machine still does in the background would be in the way.
timeout 900 cloud-init status --wait || true
{% endif %}
{% if source == "image" %}
{% if os.family == "rhel" %}
dnf --assumeyes install {{ packages | join(" ") }}
{% else %}
apt-get -qq update
apt-get -qq install --no-install-recommends {{ packages | join(" ") }}
{% endif %}
{% endif %}

{% if os.family == "rhel" %}
rpm --upgrade --replacepkgs {{ package }}
{% else %}
dpkg --install {{ package }}
{% endif %}
install -D -m 0644 files/agent.yml /etc/trempe/agent.yml
{% for file in tailoring %}
install -D -m 0644 {{ ("files/" ~ file) | sh }} {{ ("/etc/trempe/tailoring.d/" ~ file) | sh }}
{% endfor %}
install -D -m 0644 files/90-trempe-image.cfg /etc/cloud/cloud.cfg.d/90-trempe-image.cfg
{% if vmware %}

# Old VMware Tools look for this in the main file alone, and take the perl scripts when it is not there.
sed -i '/^disable_vmware_customization:/d' /etc/cloud/cloud.cfg
echo 'disable_vmware_customization: false' >> /etc/cloud/cloud.cfg
{% endif %}
{% if source == "bootstrap" %}

# The boot loader's configuration by its own tool, now that the machine runs from its disk.
cat > /etc/default/grub <<'GRUB'
GRUB_DEFAULT=0
GRUB_TIMEOUT=1
GRUB_DISTRIBUTOR="{{ "Ubuntu" if os.family == "ubuntu" else "Debian" }}"
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_CMDLINE_LINUX=""
GRUB_TERMINAL=console
GRUB_DISABLE_OS_PROBER=true
GRUB
update-grub
{% if firmware == "both" and os.family == "debian" %}
# From now on every upgrade of GRUB reaches both firmwares.
touch /etc/grub.d/enable_cloud
{% endif %}
{% endif %}
systemctl is-enabled cloud-init.service 2> /dev/null || systemctl is-enabled cloud-init-network.service
/usr/bin/agent --version
{% if os.family == "rhel" %}
rpm --query --all --queryformat '%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}\n' | sort > packages.tsv
{% else %}
dpkg-query --show --showformat '${Package}\t${Version}\t${Architecture}\n' | sort > packages.tsv
{% endif %}
chown {{ user }}: packages.tsv
echo "trempe: provisioned"
