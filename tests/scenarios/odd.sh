# Careful settings written in unusual ways: other spelling, other file, twice, overruled, commented out, almost right.

# sshd: keywords in any case, `=`, quotes, the first one counts, conditional blocks, fragments read in order
cat > /etc/ssh/sshd_config.d/10-odd.conf <<'END'
permitrootlogin no
PERMITEMPTYPASSWORDS=no
	PermitUserEnvironment	"no"
IgnoreRhosts yes # trailing comment
HostbasedAuthentication = no
LogLevel VERBOSE
MaxAuthTries 4
MaxAuthTries 9
MaxSessions 10
MaxStartups 10:30:60
LoginGraceTime 1m
ClientAliveInterval 15s
ClientAliveCountMax 3
AllowGroups ssh-users  admins
Banner "/etc/issue.net"
Ciphers aes256-ctr
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256
KexAlgorithms curve25519-sha256
DisableForwarding Yes
GSSAPIAuthentication no
END
cat > /etc/ssh/sshd_config.d/20-late.conf <<'END'
PermitRootLogin yes
LogLevel DEBUG3
Match User backup
    PermitEmptyPasswords yes
END
echo 'MaxSessions 99' > /etc/ssh/sshd_config.d/30-not-read.conf.disabled

# kernel parameters: slashes, signs, blanks, comments, several directories, the last one counts
mkdir -p /usr/local/lib/sysctl.d
cat > /etc/sysctl.d/60-odd.conf <<'END'
; comment
net/ipv4/ip_forward=0
-net.ipv4.conf.all.accept_redirects=0
  net.ipv4.conf.default.accept_redirects   =   0
net.ipv4.conf.all.rp_filter = 1
net.ipv4.conf.all.log_martians=1
net.ipv4.tcp_syncookies = 1 # not a comment
kernel.randomize_va_space = 1
kernel.randomize_va_space = 2
net.ipv4.conf.*.send_redirects = 0
#net.ipv6.conf.all.accept_ra = 0
END
echo 'net.ipv4.conf.all.rp_filter = 0' > /etc/sysctl.d/70-later.conf
echo 'net.ipv4.conf.all.log_martians = 0' > /usr/local/lib/sysctl.d/99-local.conf
echo 'kernel.yama.ptrace_scope = 1' > /etc/sysctl.d/60-not-read.txt
printf '\nfs.suid_dumpable=0\n' >> /etc/sysctl.conf

# modules: install and blacklist, in one file or two, near misses
cat > /etc/modprobe.d/odd.conf <<'END'
install cramfs /bin/false
blacklist cramfs
install	hfs	/bin/true
  blacklist hfs
install jffs2 /usr/bin/false
install udf /bin/false
#blacklist udf
blacklist usb_storage
install usb-storage /bin/false
INSTALL sctp /bin/false
blacklist sctp
END
echo 'install freevxfs /bin/false' > /etc/modprobe.d/freevxfs.conf
echo 'blacklist freevxfs' > /etc/modprobe.d/freevxfs-blacklist.conf
echo 'install tipc /bin/false' > /etc/modprobe.d/tipc.disabled

# passwords
sed -i 's/^\(PASS_MAX_DAYS\|PASS_MIN_DAYS\|PASS_WARN_AGE\|UMASK\|ENCRYPT_METHOD\)/#&/' /etc/login.defs
printf 'PASS_MAX_DAYS\t\t365\n  PASS_MIN_DAYS 1\nPASS_WARN_AGE 14\nPASS_WARN_AGE 7\nUMASK 0077\nENCRYPT_METHOD yescrypt\n' >> /etc/login.defs
mkdir -p /etc/security/pwquality.conf.d
printf 'minlen=14\n  difok =2\nmaxrepeat = 3\n' > /etc/security/pwquality.conf.d/50-odd.conf
printf 'minlen = 6\ndcredit = -1\nucredit=-1\nminclass = 4\n# dictcheck = 0\nenforce_for_root\n' > /etc/security/pwquality.conf
printf 'deny=5\nunlock_time  =  900\n   even_deny_root\nroot_unlock_time=60\n' > /etc/security/faillock.conf
printf 'remember=24\nenforce_for_root\n' > /etc/security/pwhistory.conf
useradd -D -f 30 || true
sed -i 's/pam_unix.so obscure/pam_unix.so  obscure\tuse_authtok try_first_pass /' /etc/pam.d/common-password
sed -i '/pam_unix.so/i password requisite pam_pwhistory.so remember=24 enforce_for_root use_authtok' /etc/pam.d/common-password
printf 'auth required pam_wheel.so use_uid group=nobody-at-all\n' >> /etc/pam.d/su

# shells
printf 'TMOUT=600\nreadonly TMOUT\nexport TMOUT\n' > /etc/profile.d/50-timeout.sh
printf 'typeset -xr TMOUT=900\n' >> /etc/bash.bashrc
printf ' umask 027\n' > /etc/profile.d/60-umask.sh
printf 'umask u=rwx,g=rx,o=\n' >> /etc/bash.bashrc
printf '* hard core 0\n' > /etc/security/limits.d/odd.conf

# sudo: several defaults in a line, continuation, fragments that are not read
cat > /etc/sudoers.d/10-odd <<'END'
Defaults   env_reset , use_pty, \
           logfile = "/var/log/sudo.log"
Defaults:root timestamp_timeout = 5
Defaults timestamp_timeout=10
END
echo 'Defaults !authenticate' > /etc/sudoers.d/not.read
chmod 440 /etc/sudoers.d/10-odd /etc/sudoers.d/not.read

# journald, rsyslog, banners, cron
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\n Storage = persistent\nCompress=YES\n' > /etc/systemd/journald.conf.d/50-odd.conf
printf '[Other]\nForwardToSyslog=yes\n[Journal]\nForwardToSyslog=no\n' > /etc/systemd/journald.conf.d/60-odd.conf
[ ! -d /etc/rsyslog.d ] || printf '$FileCreateMode 0640\n$filecreatemode 0600\n' > /etc/rsyslog.d/50-odd.conf
printf 'Authorised use only.\n' | tee /etc/issue /etc/issue.net > /etc/motd
touch /etc/cron.allow
chmod 600 /etc/cron.allow /etc/crontab
chmod 2700 /etc/cron.d
chmod 0500 /etc/cron.daily

# audit rules: other order, other names of the same thing, one line for several calls
[ -d /etc/audit/rules.d ] || exit 0
cat > /etc/audit/rules.d/50-odd.rules <<'END'
-a always,exit -F arch=b64 -S chmod,fchmod,fchmodat -F auid>=1000 -F auid!=-1 -k perm
-a always,exit -F arch=b32 -S chmod -S fchmod -S fchmodat -F auid>=1000 -F auid!=4294967295 -F key=perm
-a exit,always -F arch=b64 -S chown,fchown,lchown,fchownat -F auid>=1000 -F auid!=unset -F key=perm
-a always,exit -F arch=b32 -S fchown,chown,fchownat,lchown -F auid>=1000 -F auid!=unset -F key=perm
-a always,exit -F arch=b64 -S setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr -F auid>=1000 -F auid!=unset -k perm
-w /etc/passwd -p aw -k identity
-w /etc/group -p wa
  -w /etc/shadow -p wa -k identity
-a always,exit -F arch=b64 -F path=/etc/gshadow -F perm=wa -F key=identity
-w /etc/sudoers -p wa -k scope
-w /etc/sudoers.d/ -p wa -k scope
-w /etc/sudoers.d -p wa -k scope-too
-a always,exit -F arch=b64 -S adjtimex,settimeofday -k time
-a always,exit -F arch=b32 -S settimeofday,adjtimex -k time
-a always,exit -F arch=b64 -S clock_settime -F a0=0x0 -k time
-w /etc/localtime -p wa -k time
-a always,exit -F path=/usr/bin/chacl -F perm=x -F auid>=1000 -F auid!=unset -k perm_chng
#-w /var/log/lastlog -p wa -k logins
-e 2
-w /var/run/faillock -p wa -k logins
END
cat > /etc/audit/auditd.conf <<'END'
log_file = /var/log/audit/audit.log
log_group = adm
  max_log_file = 6
max_log_file_action   =   KEEP_LOGS
space_left = 75
space_left_action = EMail
admin_space_left = 50
Admin_Space_Left_Action = halt
disk_full_action = ignore
disk_full_action = single
disk_error_action = syslog 
# action_mail_acct = root
END
