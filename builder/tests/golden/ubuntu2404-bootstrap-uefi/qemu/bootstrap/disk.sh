#!/usr/bin/env bash
# Made by builder from the specification of noble: change that, not this.
# Boot loaders and file systems, written into the disk at their places. usage: disk.sh TREE.tar DIRECTORY DISK    run by bootstrap.sh
set -euo pipefail
root=$2/root disk=$3
trap 'rm -rf "$root"' EXIT
mkdir "$root"
tar --extract --file "$1" --directory "$root" --exclude './dev/*' --numeric-owner --xattrs --xattrs-include='*'
kernel=$(cd "$root/boot" && ls vmlinuz-* | sort -V | tail -n 1)
initrd=initrd.img-${kernel#vmlinuz-}
test -s "$root/boot/$initrd"

# The first start; the machine writes its own configuration when it is provisioned.
mkdir -p "$root/boot/grub"
cat > "$root/boot/grub/grub.cfg" <<GRUB
search --no-floppy --fs-uuid --set=root bca3051c-14c6-8a88-8be2-4d77ac431300
linux /boot/$kernel root=UUID=bca3051c-14c6-8a88-8be2-4d77ac431300 ro
initrd /boot/$initrd
boot
GRUB

# UEFI: the signed files of the distribution, under the name that firmware without a boot entry looks for.
esp=$disk@@$((2048 * 512))
mkfs.vfat -F 32 -s 8 -n EFI -i 98bb1b48 --offset=2048 "$disk" $((1048576 / 2)) > /dev/null
mkdir -p "$root/boot/efi"
stub=$root/boot/grub/stub.cfg
printf 'search.fs_uuid bca3051c-14c6-8a88-8be2-4d77ac431300 root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n' > "$stub"
shim=$root/usr/lib/shim grub=$root/usr/lib/grub/x86_64-efi-signed
manager=$shim/mmx64.efi.signed
[ -e "$manager" ] || manager=$shim/mmx64.efi
mmd -i "$esp" ::/EFI ::/EFI/BOOT ::/EFI/ubuntu
mcopy -i "$esp" "$shim/shimx64.efi.signed" ::/EFI/BOOT/BOOTX64.EFI
mcopy -i "$esp" "$shim/shimx64.efi.signed" ::/EFI/ubuntu/shimx64.efi
for directory in BOOT ubuntu; do
    mcopy -i "$esp" "$grub/grubx64.efi.signed" "::/EFI/$directory/grubx64.efi"
    mcopy -i "$esp" "$manager" "::/EFI/$directory/mmx64.efi"
    mcopy -i "$esp" "$stub" "::/EFI/$directory/grub.cfg"
done
rm "$stub"

# Each file system from its part of the tree, the deepest first; what is left is /.
make() { # DIRECTORY START SECTORS LABEL UUID
    mke2fs -q -F -t ext4 -O ^metadata_csum_seed -L "$4" -U "$5" -E "offset=$(($2 * 512)),hash_seed=$5" -d "$1" "$disk" $(($3 / 2))k
}
make "$root" 3147776 38793216 root bca3051c-14c6-8a88-8be2-4d77ac431300
