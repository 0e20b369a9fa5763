//! The behaviors of a search for files (`FileBehaviors` of the independent and unix schemas).

use crate::model::Behaviors;

/// Where a search goes from a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Nowhere: the directory alone.
    None,
    /// To the directories in it.
    Down,
}

/// Which file systems a search stays on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileSystem {
    /// All.
    All,
    /// Those that are local.
    Local,
    /// The one it starts on.
    Defined,
}

/// The behaviors of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behavior {
    /// How many directories deep; `None` without an end.
    depth: Option<usize>,
    /// Where to.
    pub direction: Direction,
    /// Whether directories are entered.
    directories: bool,
    /// Whether symbolic links are followed.
    pub follows: bool,
    /// Where.
    pub file_system: FileSystem,
}

impl Behavior {
    /// Reads the attributes; the error says which one is not supported.
    pub fn read(behaviors: &Behaviors) -> Result<Self, String> {
        let depth = behaviors.get("max_depth", "-1");
        let depth: i64 = depth.parse().map_err(|_| format!("max_depth={depth:?} is no number"))?;
        let direction = match behaviors.get("recurse_direction", "none") {
            "none" => Direction::None,
            "down" => Direction::Down,
            other => return Err(format!("recurse_direction={other:?} is not supported")),
        };
        let (directories, follows) = match behaviors.get("recurse", "symlinks and directories") {
            "symlinks and directories" => (true, true),
            "files and directories" | "directories" => (true, false),
            "symlinks" => (false, true),
            other => return Err(format!("recurse={other:?} is not supported")),
        };
        let file_system = match behaviors.get("recurse_file_system", "all") {
            "all" => FileSystem::All,
            "local" => FileSystem::Local,
            "defined" => FileSystem::Defined,
            other => return Err(format!("recurse_file_system={other:?} is not supported")),
        };
        // A negative depth but -1 ends the search at once in oscap; there is none in the schema.
        Ok(Behavior { depth: usize::try_from(depth).ok(), direction, directories, follows, file_system })
    }

    /// Whether a level is below the deepest one.
    pub fn is_below(&self, level: usize) -> bool {
        self.depth.is_some_and(|depth| level > depth)
    }

    /// Whether a directory is entered that was reached through a link or not.
    pub fn enters(&self, through_link: bool) -> bool {
        self.directories || (self.follows && through_link)
    }
}
