# Partitions and mounts as `/etc/fstab` writes them; nothing of it is mounted in a tree.
cat > /etc/fstab <<'END'
# device  mount  type  options  dump  pass
/dev/vda / ext4 defaults 0 1
LABEL=tmp	/tmp	tmpfs	rw,nosuid,nodev,noexec,size=50%	0 0
UUID=0a /home ext4 nosuid,nodev 0 2
/dev/vdc /var ext4 defaults,nodev 0 2
/dev/vdd /var/log ext4 rw,nodev,noexec,nosuid 0 2
/dev/vde /var/log/audit/ ext4 nodev,nosuid,noexec 0 2
#/dev/vdf /var/tmp ext4 nodev,nosuid,noexec 0 2
/tmp /var/tmp none bind 0 0
tmpfs /dev/shm tmpfs defaults,nodev,nosuid,noexec 0 0
END
mkdir -p /etc/systemd/system
cat > /etc/systemd/system/srv.mount <<'END'
[Mount]
What=/dev/vdg
Where=/srv
Options=nodev
END
