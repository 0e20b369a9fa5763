#!/usr/bin/env bash
# {{ header }}
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
search --no-floppy --fs-uuid --set=root {{ layout.boot.uuid }}
linux {{ layout.boot_directory }}/$kernel root=UUID={{ layout.root.uuid }} ro
initrd {{ layout.boot_directory }}/$initrd
boot
GRUB
{% if bios %}

# BIOS: the first sector loads the rest from the BIOS boot partition, which finds /boot by its UUID.
mkdir -p "$root/boot/grub/i386-pc"
cp "$root"/usr/lib/grub/i386-pc/*.{mod,lst} "$root/boot/grub/i386-pc/"
printf 'search.fs_uuid {{ layout.boot.uuid }} root\nset prefix=($root){{ layout.boot_directory }}/grub\n' > "$root/boot/grub/early.cfg"
chroot "$root" grub-mkimage --format=i386-pc --output=/boot/grub/i386-pc/core.img --prefix='{{ layout.boot_directory }}/grub' \
    --config=/boot/grub/early.cfg biosdisk part_gpt ext2 search search_fs_uuid normal configfile linux test echo
rm "$root/boot/grub/early.cfg"
core=$root/boot/grub/i386-pc/core.img
sectors=$((($(stat --format %s "$core") + 511) / 512))
[ "$sectors" -lt {{ layout.bios.sectors }} ]
put() { dd of="$disk" bs=1 seek="$1" conv=notrunc status=none; }
# little VALUE BYTES: a number as the processor reads it
little() { local i; for ((i = 0; i < $2; i++)); do printf "\\x$(printf %02x $((($1 >> (8 * i)) & 255)))"; done; }
head --bytes 440 "$root/usr/lib/grub/i386-pc/boot.img" | put 0
little {{ layout.bios.start }} 8 | put $((0x5c))
printf '\x90\x90' | put $((0x66))
dd if="$core" of="$disk" bs=512 seek={{ layout.bios.start }} conv=notrunc status=none
list=$(({{ layout.bios.start }} * 512 + 0x1f4))
little $(({{ layout.bios.start }} + 1)) 8 | put $list
little $((sectors - 1)) 2 | put $((list + 8))
little $((0x820)) 2 | put $((list + 10))
{% endif %}
{% if uefi %}

# UEFI: the signed files of the distribution, under the name that firmware without a boot entry looks for.
esp=$disk@@$(({{ layout.efi.start }} * 512))
mkfs.vfat -F 32 -s 8 -n EFI -i {{ layout.efi.serial }} --offset={{ layout.efi.start }} "$disk" $(({{ layout.efi.sectors }} / 2)) > /dev/null
mkdir -p "$root/boot/efi"
stub=$root/boot/grub/stub.cfg
printf 'search.fs_uuid {{ layout.boot.uuid }} root\nset prefix=($root){{ layout.boot_directory }}/grub\nconfigfile $prefix/grub.cfg\n' > "$stub"
shim=$root/usr/lib/shim grub=$root/usr/lib/grub/x86_64-efi-signed
manager=$shim/mmx64.efi.signed
[ -e "$manager" ] || manager=$shim/mmx64.efi
mmd -i "$esp" ::/EFI ::/EFI/BOOT ::/EFI/{{ os.efi }}
mcopy -i "$esp" "$shim/shimx64.efi.signed" ::/EFI/BOOT/BOOTX64.EFI
mcopy -i "$esp" "$shim/shimx64.efi.signed" ::/EFI/{{ os.efi }}/shimx64.efi
for directory in BOOT {{ os.efi }}; do
    mcopy -i "$esp" "$grub/grubx64.efi.signed" "::/EFI/$directory/grubx64.efi"
    mcopy -i "$esp" "$manager" "::/EFI/$directory/mmx64.efi"
    mcopy -i "$esp" "$stub" "::/EFI/$directory/grub.cfg"
done
rm "$stub"
{% endif %}

# Each file system from its part of the tree, the deepest first; what is left is /.
make() { # DIRECTORY START SECTORS LABEL UUID
    mke2fs -q -F -t ext4 -O ^metadata_csum_seed -L "$4" -U "$5" -E "offset=$(($2 * 512)),hash_seed=$5" -d "$1" "$disk" $(($3 / 2))k
}
{% for part in layout.partitions if part.kind == "mount" and part.mount != "/" %}
mkdir -p "$root{{ part.mount }}"
make "$root{{ part.mount }}" {{ part.start }} {{ part.sectors }} {{ part.label }} {{ part.uuid }}
find "$root{{ part.mount }}" -mindepth 1 -delete
{% endfor %}
make "$root" {{ layout.root.start }} {{ layout.root.sectors }} root {{ layout.root.uuid }}
