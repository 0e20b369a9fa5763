#!/usr/bin/env bash
# Made by builder from the specification of noble: change that, not this.
# Makes a disk that starts by itself, from the packages of a mirror: no installer, no loop device, nothing mounted.
# usage: bootstrap.sh DISK    as root, or as a user who may make user namespaces
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
disk=$(realpath "$1")
packages=(
    cloud-init
    cloud-guest-utils
    openssh-server
    sudo
    ca-certificates
    linux-image-virtual
    linux-modules-extra-virtual
    ubuntu-minimal
    systemd-sysv
    libpam-systemd
    netplan.io
    locales
    console-setup
    less
    grub-efi-amd64
    grub-efi-amd64-signed
    shim-signed
    telnet
    bind9-dnsutils
    traceroute
    tcpdump
    lsof
    iproute2
)
# In a user namespace nobody may look into a user's own directories.
if [ "$(id --user)" -eq 0 ]; then near=$(dirname "$disk") inside=(); else near=/var/tmp inside=(mmdebstrap --unshare-helper); fi
work=$(mktemp --directory "$near/trempe-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'trap "" TERM INT; kill 0; wait; exit 143' TERM INT
run() { "$@" <&0 & wait $!; } # so that a signal is not kept waiting
chmod 0755 "$work"
export TMPDIR=$work
cp "$here"/{tree,disk}.sh "$work/"

run mmdebstrap --variant=important --format=tar --include="${packages[*]}" --customize-hook="$work/tree.sh" \
    noble "$work/tree.tar" - <<'SOURCES'
deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://mirror.example.org/ubuntu noble main universe
deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://mirror.example.org/ubuntu noble-updates main universe
deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://mirror.example.org/ubuntu noble-security main universe
SOURCES

truncate --size 20480M "$work/disk.raw"
sfdisk --quiet "$work/disk.raw" < "$here/layout.sfdisk"
mkdir "$work/tree"
chmod 0777 "$work/tree"
chmod 0666 "$work/disk.raw"
run "${inside[@]}" bash "$work/disk.sh" "$work/tree.tar" "$work/tree" "$work/disk.raw"
tar --extract --to-stdout --file "$work/tree.tar" --wildcards './boot/vmlinuz-*' > "$(dirname "$disk")/kernel"
mv "$work/disk.raw" "$disk"
