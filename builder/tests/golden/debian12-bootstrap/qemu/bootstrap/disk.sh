#!/usr/bin/env bash
# Made by builder from the specification of debian12: change that, not this.
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
search --no-floppy --fs-uuid --set=root b43352ea-3502-8159-aa32-aa9e073dd12f
linux /$kernel root=UUID=e7c9bf0d-cdbd-8c23-8480-7a030006c71c ro
initrd /$initrd
boot
GRUB

# BIOS: the first sector loads the rest from the BIOS boot partition, which finds /boot by its UUID.
mkdir -p "$root/boot/grub/i386-pc"
cp "$root"/usr/lib/grub/i386-pc/*.{mod,lst} "$root/boot/grub/i386-pc/"
printf 'search.fs_uuid b43352ea-3502-8159-aa32-aa9e073dd12f root\nset prefix=($root)/grub\n' > "$root/boot/grub/early.cfg"
chroot "$root" grub-mkimage --format=i386-pc --output=/boot/grub/i386-pc/core.img --prefix='/grub' \
    --config=/boot/grub/early.cfg biosdisk part_gpt ext2 search search_fs_uuid normal configfile linux test echo
rm "$root/boot/grub/early.cfg"
core=$root/boot/grub/i386-pc/core.img
sectors=$((($(stat --format %s "$core") + 511) / 512))
[ "$sectors" -lt 2048 ]
put() { dd of="$disk" bs=1 seek="$1" conv=notrunc status=none; }
# little VALUE BYTES: a number as the processor reads it
little() { local i; for ((i = 0; i < $2; i++)); do printf "\\x$(printf %02x $((($1 >> (8 * i)) & 255)))"; done; }
head --bytes 440 "$root/usr/lib/grub/i386-pc/boot.img" | put 0
little 2048 8 | put $((0x5c))
printf '\x90\x90' | put $((0x66))
dd if="$core" of="$disk" bs=512 seek=2048 conv=notrunc status=none
list=$((2048 * 512 + 0x1f4))
little $((2048 + 1)) 8 | put $list
little $((sectors - 1)) 2 | put $((list + 8))
little $((0x820)) 2 | put $((list + 10))

# UEFI: the signed files of the distribution, under the name that firmware without a boot entry looks for.
esp=$disk@@$((4096 * 512))
mkfs.vfat -F 32 -s 8 -n EFI -i 57cf85c3 --offset=4096 "$disk" $((1048576 / 2)) > /dev/null
mkdir -p "$root/boot/efi"
stub=$root/boot/grub/stub.cfg
printf 'search.fs_uuid b43352ea-3502-8159-aa32-aa9e073dd12f root\nset prefix=($root)/grub\nconfigfile $prefix/grub.cfg\n' > "$stub"
shim=$root/usr/lib/shim grub=$root/usr/lib/grub/x86_64-efi-signed
manager=$shim/mmx64.efi.signed
[ -e "$manager" ] || manager=$shim/mmx64.efi
mmd -i "$esp" ::/EFI ::/EFI/BOOT ::/EFI/debian
mcopy -i "$esp" "$shim/shimx64.efi.signed" ::/EFI/BOOT/BOOTX64.EFI
mcopy -i "$esp" "$shim/shimx64.efi.signed" ::/EFI/debian/shimx64.efi
for directory in BOOT debian; do
    mcopy -i "$esp" "$grub/grubx64.efi.signed" "::/EFI/$directory/grubx64.efi"
    mcopy -i "$esp" "$manager" "::/EFI/$directory/mmx64.efi"
    mcopy -i "$esp" "$stub" "::/EFI/$directory/grub.cfg"
done
rm "$stub"

# Each file system from its part of the tree, the deepest first; what is left is /.
make() { # DIRECTORY START SECTORS LABEL UUID
    mke2fs -q -F -t ext4 -O ^metadata_csum_seed -L "$4" -U "$5" -E "offset=$(($2 * 512)),hash_seed=$5" -d "$1" "$disk" $(($3 / 2))k
}
mkdir -p "$root/var/log/audit"
make "$root/var/log/audit" 1052672 2097152 var_log_audit f1016ea5-1ffa-83c2-8be3-a6ce5712eae9
find "$root/var/log/audit" -mindepth 1 -delete
mkdir -p "$root/var/tmp"
make "$root/var/tmp" 3149824 2097152 var_tmp d82a543c-c268-81d0-aac2-2121f8521904
find "$root/var/tmp" -mindepth 1 -delete
mkdir -p "$root/var/log"
make "$root/var/log" 5246976 4194304 var_log fceac273-b7d5-8b8c-8768-da57364d73e0
find "$root/var/log" -mindepth 1 -delete
mkdir -p "$root/boot"
make "$root/boot" 9441280 2097152 boot b43352ea-3502-8159-aa32-aa9e073dd12f
find "$root/boot" -mindepth 1 -delete
mkdir -p "$root/home"
make "$root/home" 11538432 2097152 home bfd2b375-50a2-85e4-ba63-4dc58ceb5f56
find "$root/home" -mindepth 1 -delete
mkdir -p "$root/tmp"
make "$root/tmp" 13635584 2097152 tmp c0ad8f1f-712e-8614-ae53-7b0b4132a9a4
find "$root/tmp" -mindepth 1 -delete
mkdir -p "$root/var"
make "$root/var" 15732736 8388608 var e033b6bb-30a3-8aac-91e0-5c899ce610ba
find "$root/var" -mindepth 1 -delete
make "$root" 24121344 17819648 root e7c9bf0d-cdbd-8c23-8480-7a030006c71c
