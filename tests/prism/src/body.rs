//! Bytes that come in: digested, their head kept, written to a file where they must be put together later.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::Incoming;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::fault::Act;

/// How much of the beginning is kept.
const HEAD: usize = 512;
/// The largest body that is kept whole.
const LARGEST: usize = 8 << 20;

/// What came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) size: u64,
    pub(crate) sha256: String,
    pub(crate) sha1: String,
    pub(crate) head: Vec<u8>,
}

/// Takes bytes in.
pub(crate) struct Intake {
    sha256: Sha256,
    sha1: Option<Sha1>,
    head: Vec<u8>,
    size: u64,
    file: Option<File>,
}

impl Intake {
    pub(crate) fn new(file: Option<File>) -> Intake {
        Intake { sha256: Sha256::new(), sha1: None, head: Vec::new(), size: 0, file }
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.sha256.update(bytes);
        if let Some(sha1) = &mut self.sha1 {
            sha1.update(bytes);
        }
        let room = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.size += bytes.len() as u64;
        if let Some(file) = &mut self.file {
            // Zeros become a hole.
            if bytes.iter().all(|byte| *byte == 0) {
                file.seek(SeekFrom::Current(i64::try_from(bytes.len())?))?;
            } else {
                file.write_all(bytes)?;
            }
        }
        Ok(())
    }

    pub(crate) fn end(mut self) -> Result<Received> {
        if let Some(file) = &mut self.file {
            file.set_len(self.size)?;
        }
        Ok(Received {
            size: self.size,
            sha256: hexadecimal(&self.sha256.finalize()),
            sha1: self.sha1.map(|sha1| hexadecimal(&sha1.finalize())).unwrap_or_default(),
            head: self.head,
        })
    }
}

/// Reads a file's bytes.
///
/// # Errors
/// When the connection ends, as [`Act::Reset`] wants it to, or the frames of S3 are none.
pub(crate) async fn receive(
    mut body: Incoming,
    headers: &HeaderMap,
    file: Option<&Path>,
    wrong: Option<&Act>,
) -> Result<Received> {
    let file = file.map(File::create).transpose().context("creating a part")?;
    let mut intake = Intake::new(file);
    intake.sha1 = headers.get("x-nutanix-checksum-type").filter(|kind| *kind == "SHA_1").map(|_| Sha1::new());
    let mut frames = framed(headers).then(Frames::default);
    let end = if let Some(Act::Reset(after)) = wrong { *after } else { u64::MAX };
    let mut spoilt = matches!(wrong, Some(Act::Spoil));
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.context("the connection ended")?.into_data() else { continue };
        read += data.len() as u64;
        if read >= end {
            bail!("ended on request");
        }
        let mut data = data.to_vec();
        if spoilt && !data.is_empty() {
            let last = data.len() - 1;
            data[last] ^= 1;
            spoilt = false;
        }
        match &mut frames {
            Some(frames) => frames.take(&data, &mut intake)?,
            None => intake.take(&data)?,
        }
    }
    if end != u64::MAX {
        bail!("ended on request");
    }
    intake.end()
}

/// Reads what still comes of a body that has been answered already, as servers do for a while before they close: what is unread then resets the
/// connection, and the answer may be lost on its way.
pub(crate) async fn linger(mut body: Incoming) {
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    let _ = tokio::time::timeout(Duration::from_secs(5), rest).await;
}

/// Reads a body that is small.
///
/// # Errors
/// When it is not, or the connection ends.
pub(crate) async fn small(mut body: Incoming) -> Result<Bytes> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.context("the connection ended")?.into_data() else { continue };
        if all.len() + data.len() > LARGEST {
            bail!("a body of more than {LARGEST} bytes");
        }
        all.extend_from_slice(&data);
    }
    Ok(Bytes::from(all))
}

/// Whether a body is in frames of S3's, each with its length: what its newer clients send unasked.
fn framed(headers: &HeaderMap) -> bool {
    let has = |name: &str, word: &str| {
        headers.get(name).is_some_and(|value| value.to_str().is_ok_and(|text| text.contains(word)))
    };
    has("content-encoding", "aws-chunked") || has("x-amz-content-sha256", "STREAMING-")
}

/// Takes frames apart: `LENGTH[;EXTENSION]\r\nDATA\r\n` … `0\r\nTRAILERS\r\n`.
#[derive(Debug, Default)]
struct Frames {
    line: Vec<u8>,
    left: usize,
    /// The line end behind a frame's data.
    after: bool,
    ended: bool,
}

impl Frames {
    fn take(&mut self, mut data: &[u8], intake: &mut Intake) -> Result<()> {
        while !data.is_empty() && !self.ended {
            if self.left > 0 {
                let count = self.left.min(data.len());
                intake.take(&data[..count])?;
                self.left -= count;
                self.after = self.left == 0;
                data = &data[count..];
                continue;
            }
            self.line.push(data[0]);
            data = &data[1..];
            if !self.line.ends_with(b"\r\n") {
                if self.line.len() > 4096 {
                    bail!("a frame without a length");
                }
                continue;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
            if std::mem::take(&mut self.after) {
                continue;
            }
            let length = line.trim().split(';').next().unwrap_or_default();
            self.left = usize::from_str_radix(length, 16).context("reading the length of a frame")?;
            self.ended = self.left == 0;
        }
        Ok(())
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_apart_wherever_they_are_cut() {
        let sent =
            b"5\r\nhello\r\n6;chunk-signature=x\r\n\r\nwor\r\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
        for cut in 0..sent.len() {
            let (mut frames, mut intake) = (Frames::default(), Intake::new(None));
            frames.take(&sent[..cut], &mut intake).unwrap();
            frames.take(&sent[cut..], &mut intake).unwrap();
            assert_eq!(intake.end().unwrap().head, b"hello\r\nwor\r", "{cut}");
        }
    }
}
