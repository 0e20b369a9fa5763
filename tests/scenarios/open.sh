# A careless machine: whatever a plain one gets right by itself is spoilt here, each in the plainest way.

# accounts
cat >> /etc/passwd <<'END'
toor:x:0:0:second root:/root:/bin/bash
first:x:1500:1500::/home/first:/bin/bash
second:x:1500:1501::/home/second:/bin/bash
second:x:1502:1502::/home/second:/bin/bash
nogroup-user:x:1503:54321::/home/nogroup-user:/bin/bash
nohome:x:1504:1504::/home/nohome:/bin/bash
visible:$6$abc$def:1505:1505::/home/visible:/bin/bash
service:x:150:150::/var/lib/service:/bin/bash
oddshell:x:1506:1506::/home/oddshell:/opt/shell
END
cat >> /etc/shadow <<'END'
toor:$6$salt$hash:19000:0:99999:7:::
first::19000:0:99999:7:::
second:$1$salt$hash:99999:0:99999:7:::
nogroup-user:$6$salt$hash:19000:0:99999:7:::
nohome:$6$salt$hash::::7:::
service:$6$salt$hash:19000:0:99999:7:90::
oddshell:$6$salt$hash:19000:0:99999:7:::
END
cat >> /etc/group <<'END'
wheel-too:x:0:
first:x:1500:
second:x:1500:
second:x:1502:
nohome:x:1504:
visible:x:1505:
oddshell:x:1506:
END
sed -i 's/^shadow:.*/shadow:x:42:first/' /etc/group
echo /usr/sbin/nologin >> /etc/shells
for home in first second oddshell; do
    mkdir -p /home/$home
    touch /home/$home/.netrc /home/$home/.rhosts /home/$home/.forward /home/$home/.bash_history /home/$home/.profile
    chmod 666 /home/$home/.netrc /home/$home/.bash_history /home/$home/.profile
    chmod 777 /home/$home
done
chown games:games /home/first
chown 1502:games /home/second/.profile
chown daemon /home/second/.bash_history

# files with an owner, group and mode of their own
touch /etc/{cron,at}.{allow,deny} /etc/{passwd,group,shadow,gshadow}- /etc/security/opasswd /etc/security/opasswd.old
touch /var/log/{auth.log,syslog,messages,secure,localmessages,lastlog,wtmp,btmp,cloud-init.log,waagent.log}
mkdir -p /var/log/{apt,gdm,gdm3,sssd,landscape,journal} /boot/grub
touch /var/log/apt/history.log /var/log/gdm/x /var/log/gdm3/x /var/log/sssd/x /var/log/landscape/x /var/log/journal/x.journal
touch /boot/grub/grub.cfg /boot/grub/user.cfg
spoilt=(
    /etc/{passwd,group,shadow,gshadow}{,-} /etc/shells /etc/security/opasswd{,.old} /etc/{cron,at}.{allow,deny}
    /etc/cron{tab,.d,.daily,.hourly,.weekly,.monthly,.yearly} /etc/{issue,issue.net,motd} /etc/ssh/sshd_config
    /boot/grub/grub.cfg /boot/grub/user.cfg
    /var/log/{auth.log,syslog,messages,secure,localmessages,lastlog,wtmp,btmp,cloud-init.log,waagent.log}
    /var/log/apt/history.log /var/log/gdm/x /var/log/gdm3/x /var/log/sssd/x /var/log/landscape/x
)
for path in "${spoilt[@]}"; do
    [ -e "$path" ] || continue
    chown games:games "$path"
    chmod a+rwx "$path"
done
[ ! -d /etc/audit ] || { chown -R games:games /etc/audit && chmod -R a+rw /etc/audit; }
[ ! -d /var/log/audit ] || { touch /var/log/audit/audit.log && chown -R games:games /var/log/audit && chmod -R a+rwx /var/log/audit; }
[ ! -e /sbin/auditctl ] || { chown games:games /sbin/{auditctl,ausearch,autrace} && chmod 777 /sbin/{auditctl,aureport,auditd}; }
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_lab_key
chmod 666 /etc/ssh/ssh_host_lab_key /etc/ssh/ssh_host_lab_key.pub
touch /srv/everybody /srv/nobody /srv/nogroup
mkdir /srv/open
chmod 666 /srv/everybody
chmod 777 /srv/open
chown 54321 /srv/nobody
chown :54321 /srv/nogroup

# settings
cat > /etc/ssh/sshd_config.d/open.conf <<'END'
PermitRootLogin yes
PermitEmptyPasswords yes
PermitUserEnvironment yes
IgnoreRhosts no
HostbasedAuthentication yes
GSSAPIAuthentication yes
UsePAM no
LogLevel QUIET
MaxAuthTries 10
MaxSessions 100
MaxStartups 100:30:200
LoginGraceTime 0
ClientAliveInterval 0
ClientAliveCountMax 99
Ciphers +3des-cbc,aes128-cbc
MACs +hmac-md5,hmac-sha1-96
KexAlgorithms +diffie-hellman-group1-sha1
END
cat > /etc/sudoers.d/open <<'END'
Defaults !use_pty
Defaults !authenticate
Defaults timestamp_timeout=-1
first ALL=(ALL) NOPASSWD: ALL
END
sed -i 's/^\(PASS_MAX_DAYS\|PASS_MIN_DAYS\|PASS_WARN_AGE\|UMASK\|ENCRYPT_METHOD\)/# &/' /etc/login.defs
printf 'PASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 1\nUMASK 000\nENCRYPT_METHOD MD5\n' >> /etc/login.defs
printf 'umask 000\nexport PATH=.::/srv/open:$PATH\n' >> /root/.bashrc
printf 'umask 000\n' | tee -a /etc/profile /etc/bash.bashrc /root/.profile > /dev/null
cat > /etc/sysctl.d/99-zz-open.conf <<'END'
net.ipv4.ip_forward = 1
net.ipv4.conf.all.accept_redirects = 1
net.ipv4.conf.default.accept_source_route = 1
net.ipv4.conf.all.rp_filter = 0
net.ipv4.tcp_syncookies = 0
net.ipv6.conf.all.accept_ra = 1
net.ipv6.conf.all.forwarding = 1
kernel.randomize_va_space = 0
kernel.yama.ptrace_scope = 0
fs.suid_dumpable = 1
END
for file in issue issue.net motd; do printf 'Debian GNU/Linux 12 \\n \\l \\m \\r \\s \\v\n' > /etc/$file; done
printf '[Journal]\nStorage=volatile\nCompress=no\nForwardToSyslog=yes\n' > /etc/systemd/journald.conf
[ ! -e /etc/rsyslog.conf ] || printf '$FileCreateMode 0666\nlocal7.* /var/log/open.log\nmodule(load="imtcp")\ninput(type="imtcp" port="514")\n' >> /etc/rsyslog.conf
sed -i 's/pam_unix.so.*/& nullok remember=5/' /etc/pam.d/common-password
sed -i 's/use_authtok//' /etc/pam.d/common-password
sed -i 's/yescrypt/md5/' /etc/pam.d/common-password
