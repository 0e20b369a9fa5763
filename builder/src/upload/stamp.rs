//! What the builder writes into the description of its images, to know them again: names in Prism Central are not unique, and what a
//! target tells of an image has no digest of what was sent.

use super::image::Image;

/// An image of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The image's name.
    pub image: String,
    /// SHA-256 of the file that was sent.
    pub sha256: String,
    /// The upload that made it.
    pub upload: String,
}

impl Stamp {
    /// The description of an image that this upload makes.
    pub fn description(image: &Image, upload: &str) -> String {
        let Image { about, name, sha256, .. } = image;
        format!(
            "{about}Hardens itself at its first boot. [trempe image={name} sha256={sha256} upload={upload}]"
        )
    }

    /// The stamp in a description.
    pub fn find(description: &str) -> Option<Stamp> {
        let (_, rest) = description.rsplit_once("[trempe ")?;
        let (inside, _) = rest.split_once(']')?;
        let value = |key: &str| inside.split(' ').find_map(|word| word.strip_prefix(key)).map(str::to_owned);
        let stamp = Stamp { image: value("image=")?, sha256: value("sha256=")?, upload: value("upload=")? };
        let digest = stamp.sha256.len() == 64 && stamp.sha256.chars().all(|c| c.is_ascii_hexdigit());
        digest.then_some(stamp)
    }

    /// What this version is called while another has the image's name.
    pub fn version_name(&self) -> String {
        format!("{}-{}", self.image, self.sha256.get(..12).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_again_and_nothing_else_is_taken_for_one() {
        let image = Image {
            path: "x".into(),
            name: "web".to_owned(),
            size: 1,
            virtual_size: 1,
            sha256: "ab".repeat(32),
            about: "debian12. ".to_owned(),
        };
        let stamp = Stamp::find(&Stamp::description(&image, "u-1")).unwrap();
        assert_eq!((stamp.image.as_str(), stamp.upload.as_str()), ("web", "u-1"));
        assert_eq!(stamp.version_name(), "web-abababababab");
        for text in [
            "",
            "[trempe image=web]",
            "[trempe image=a sha256=zz upload=u]",
            "[trempe image=a sha256=ab upload=u",
        ] {
            assert_eq!(Stamp::find(text), None, "{text}");
        }
    }
}
