//! What the agent leaves to a person.

/// Rules that ask for another disk layout, for something only a person knows (a password, a server, who may log in, which
/// ports are meant), or that would lock out a cloud machine's administrator, who has no password.
pub const LEFT_TO_A_PERSON: [&str; 13] = [
    "grub2_password",
    "partition_for_home",
    "partition_for_tmp",
    "partition_for_var",
    "partition_for_var_log",
    "partition_for_var_log_audit",
    "partition_for_var_tmp",
    "rsyslog_remote_tls",
    "service_systemd-journal-upload_enabled",
    "sshd_limit_user_access",
    "sudo_require_authentication",
    "systemd_journal_upload_url",
    "ufw_rules_for_open_ports",
];
