//! Why an upload did not work: what was being done, what was said, and what to do about it.

use std::fmt;
use std::time::Duration;

/// The longest wait between tries, whatever the server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No connection: nothing was asked yet.
    Unreachable,
    /// The certificate is not trusted, or TLS cannot be agreed on.
    Tls,
    /// The connection ended, or nothing moved: what was asked may have been done.
    Interrupted,
    /// The answer is lost, and what was asked must not be asked twice.
    Unknown,
    /// 401.
    Credentials,
    /// 403.
    Forbidden,
    /// 404, 405: not there.
    Missing,
    /// 409: changed by somebody else at the same time.
    Conflict,
    /// 412: changed since it was looked at.
    Stale,
    /// 413.
    TooLarge,
    /// 400, 411, 415, 422: refused as asked.
    Refused,
    /// Refused for now, and surely not acted on: 429, and 503 that says when to come again.
    Busy,
    /// 502, 503, 504: down, or something in between is; what was asked may have been done.
    Unavailable,
    /// 500 and others.
    Server,
    /// An answer that is not understood.
    Answer,
    /// A task that failed there.
    Task,
    /// What arrived there is not what was sent.
    Checksum,
    /// It takes longer than the patience that the target has.
    Patience,
    /// The target asks for what is not there.
    Target,
    /// Something on this machine.
    Local,
    /// Another builder uploads the same.
    Taken,
}

impl Kind {
    /// The kind of an HTTP status that is no success.
    pub fn of(status: u16) -> Kind {
        match status {
            401 => Kind::Credentials,
            403 => Kind::Forbidden,
            404 | 405 | 501 => Kind::Missing,
            408 => Kind::Interrupted,
            409 => Kind::Conflict,
            412 => Kind::Stale,
            413 => Kind::TooLarge,
            400 | 411 | 415 | 422 => Kind::Refused,
            429 => Kind::Busy,
            502..=504 => Kind::Unavailable,
            _ => Kind::Server,
        }
    }

    /// Whether the same may well work a little later.
    pub fn passes(self) -> bool {
        matches!(self, Kind::Unreachable | Kind::Interrupted | Kind::Busy | Kind::Unavailable)
    }

    /// What to do.
    fn remedy(self) -> &'static str {
        match self {
            Kind::Unreachable => {
                "check the address, the network and the firewall (port 9440 of a Prism Central, 443 of a vCenter), then run the same command again"
            }
            Kind::Tls => {
                "name the file with its certificate authority under ca (UnknownIssuer); give it a certificate that names its address and does not sign itself \
                 (not valid for name, CaUsedAsEndEntity: no ca helps); or set insecure: true where whoever is on the way may read the password"
            }
            Kind::Interrupted | Kind::Unavailable => {
                "run the same command again; it goes on where it can and makes no second image"
            }
            Kind::Unknown => "run the same command again: it looks first for what this one may have made",
            Kind::Credentials => {
                "check user and password of the target; the account may be locked or expired"
            }
            Kind::Forbidden => {
                "give the user a role that may view, create, update and delete images and view clusters and categories; on a vCenter, library items"
            }
            Kind::Missing => "it may be older than the API that is asked for: of a Prism Central try api: v3",
            Kind::Conflict | Kind::Stale => {
                "somebody changes the image at the same time: run the same command again"
            }
            Kind::TooLarge => {
                "something in between, a proxy most likely, limits the size of uploads: go around it, or raise its limit"
            }
            Kind::Refused => "the message says what it objects to",
            Kind::Busy => "it is asked too much at the moment: run the same command again later",
            Kind::Server => "its own logs say more; run the same command again",
            Kind::Answer => {
                "is the address that of a Prism Central or a vCenter, and not of a Prism Element, a host or a proxy?"
            }
            Kind::Task => "the task there says more; nothing of the image is left there",
            Kind::Checksum => {
                "what arrived is not what was sent; nothing of it is left there: run the same command again"
            }
            Kind::Patience => {
                "look at its tasks; raise patience.import of the target; run the same command again"
            }
            Kind::Target => "change the target",
            Kind::Local => "",
            Kind::Taken => "wait for it",
        }
    }
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its kind.
    pub kind: Kind,
    /// What was being done: "uploading the file".
    pub doing: String,
    /// What was said.
    pub said: String,
    /// What else is to be known: what is left there.
    pub also: String,
    /// When the server wants to be asked again.
    pub after: Option<Duration>,
}

impl Failure {
    /// A failure of a kind.
    pub fn new(kind: Kind, doing: impl Into<String>, said: impl Into<String>) -> Failure {
        Failure { kind, doing: doing.into(), said: said.into(), also: String::new(), after: None }
    }

    /// Something on this machine.
    pub fn local(error: &anyhow::Error) -> Failure {
        Failure::new(Kind::Local, "", format!("{error:#}"))
    }

    /// With what else is to be known.
    pub fn with(mut self, also: &str) -> Failure {
        if !self.also.is_empty() {
            self.also.push_str("; ");
        }
        self.also.push_str(also);
        self
    }

    /// What to do.
    pub fn remedy(&self) -> &'static str {
        self.kind.remedy()
    }

    /// How long to wait before the same is tried again: as long as the server asks for, within reason, else `wait`.
    pub fn pause(&self, wait: Duration) -> Duration {
        self.after.unwrap_or(wait).min(LONGEST_WAIT)
    }
}

impl fmt::Display for Failure {
    /// What was being done, and what was said. The remedy is told apart from it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.doing.is_empty() {
            write!(f, "{}: ", self.doing)?;
        }
        f.write_str(&self.said)?;
        if !self.also.is_empty() {
            write!(f, " ({})", self.also)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_when_to_come_again_and_is_not_waited_for_without_end() {
        let mine = Duration::from_secs(2);
        for (asked, expected) in [(None, 2), (Some(1), 1), (Some(30), 30), (Some(86_400), 300)] {
            let after = asked.map(Duration::from_secs);
            let failure = Failure { after, ..Failure::new(Kind::Busy, "", "") };
            assert_eq!(failure.pause(mine), Duration::from_secs(expected), "{asked:?}");
        }
    }
}
