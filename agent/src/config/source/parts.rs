//! The parts of what cloud-init was given, as it sorted and unpacked them: a MIME message (`cloudinit.user_data`, kept as
//! `user-data.txt.i`).

use mail_parser::{MessageParser, MessagePart, MimeHeaders};

use super::cloud_init::CloudConfig;

/// How many parts of a message are cloud-config that says something, templates of such among them. None where it is no message.
pub fn of_cloud_config(message: &[u8]) -> usize {
    let parser = MessageParser::default();
    let Some(message) = parser.parse(message) else { return 0 };
    message.parts.iter().filter(|part| is_cloud_config(part)).count()
}

fn is_cloud_config(part: &MessagePart<'_>) -> bool {
    let kind = part.content_type().and_then(|kind| kind.subtype()).unwrap_or_default();
    let text = String::from_utf8_lossy(part.contents());
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let cloud_config = match kind {
        "cloud-config" => true,
        // The first line says that it is a template.
        "jinja2" => lines.nth(1).is_some_and(|line| line.starts_with(CloudConfig::MARK)),
        _ => false,
    };
    cloud_config && lines.any(|line| !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message as cloud-init 22.4 makes one.
    fn message(parts: &[(&str, &str)]) -> String {
        let part = |(headers, body): &(&str, &str)| {
            format!(
                "--=3D==\nMIME-Version: 1.0\n{headers}\nContent-Disposition: attachment; filename=\"part-001\"\n\n{body}\n"
            )
        };
        let parts: String = parts.iter().map(part).collect();
        format!(
            "Content-Type: multipart/mixed; boundary=\"=3D==\"\nMIME-Version: 1.0\nNumber-Attachments: 1\n\n{parts}--=3D==--\n"
        )
    }

    #[test]
    fn parts_of_cloud_config_are_counted() {
        const CONFIG: &str = "Content-Type: text/cloud-config";
        const PACKED: &str =
            "Content-Type: text/cloud-config; charset=\"utf-8\"\nContent-Transfer-Encoding: base64";
        const TEMPLATE: &str = "Content-Type: text/jinja2";
        const SCRIPT: &str = "Content-Type: text/x-shellscript";
        for (parts, count) in [
            (&[][..], 0),
            (&[(CONFIG, "#cloud-config\ntrempe: [\n")], 1),
            (&[(CONFIG, "#cloud-config\n# nothing\n")], 0),
            (&[(PACKED, "I2Nsb3VkLWNvbmZpZwp0cmVtcGU6IFsK")], 1),
            (&[(TEMPLATE, "## template: jinja\n#cloud-config\ntrempe: [ {{ v1.x }}\n")], 1),
            (&[(TEMPLATE, "## template: jinja\n#!/bin/sh\necho {{ v1.x }}\n")], 0),
            (&[(SCRIPT, "#!/bin/sh\necho\n"), (CONFIG, "trempe: [\n"), (CONFIG, "hostname: x\n")], 2),
        ] {
            assert_eq!(of_cloud_config(message(parts).as_bytes()), count, "{parts:?}");
        }
        assert_eq!(of_cloud_config(b"\xff\x00"), 0);
    }
}
