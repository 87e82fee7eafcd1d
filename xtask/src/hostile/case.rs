//! A hostile container, and what each command must do with it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Makes a container in a folder, and returns the place of the labels in it.
pub(super) type Make = Box<dyn Fn(&Path) -> anyhow::Result<PathBuf>>;

/// A hostile container.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) make: Make,
    pub(super) commands: Vec<(Command, Expected)>,
    /// Whether the commands must not be run by somebody who may read everything.
    pub(super) needs_nobody: bool,
}

/// A command on a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Inspect,
    InspectJson,
    Check,
    Mask,
    MaskInShards,
    Preview,
    Sample,
}

/// How a command must end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    Success,
    /// With exit code 1, and a message that has all of this.
    Refusal(&'static [&'static str]),
    /// With either: only time, memory and the absence of harm count.
    Either,
}

/// All commands that read voxels.
const READING: [Command; 5] =
    [Command::Check, Command::Mask, Command::MaskInShards, Command::Preview, Command::Sample];
const INSPECTING: [Command; 2] = [Command::Inspect, Command::InspectJson];

impl Case {
    /// A container whose metadata are fine, and whose voxels nobody can read.
    pub(super) fn unreadable(
        name: impl Into<String>,
        names: &'static [&'static str],
        make: impl Fn(&Path) -> anyhow::Result<PathBuf> + 'static,
    ) -> Self {
        Self::new(name, Expected::Success, Expected::Refusal(names), make)
    }

    /// A container with which nothing can be done.
    pub(super) fn unusable(
        name: impl Into<String>,
        names: &'static [&'static str],
        make: impl Fn(&Path) -> anyhow::Result<PathBuf> + 'static,
    ) -> Self {
        Self::new(name, Expected::Refusal(names), Expected::Refusal(names), make)
    }

    /// A container that looks bad and is fine.
    pub(super) fn usable(
        name: impl Into<String>,
        make: impl Fn(&Path) -> anyhow::Result<PathBuf> + 'static,
    ) -> Self {
        Self::new(name, Expected::Success, Expected::Success, make)
    }

    /// A container that is only looked at.
    pub(super) fn inspected(
        name: impl Into<String>,
        expected: Expected,
        make: impl Fn(&Path) -> anyhow::Result<PathBuf> + 'static,
    ) -> Self {
        let commands = INSPECTING.map(|command| (command, expected)).into();
        Self { name: name.into(), make: Box::new(make), commands, needs_nobody: false }
    }

    /// What inspecting and what reading must do.
    pub(super) fn new(
        name: impl Into<String>,
        inspecting: Expected,
        reading: Expected,
        make: impl Fn(&Path) -> anyhow::Result<PathBuf> + 'static,
    ) -> Self {
        let inspecting = INSPECTING.map(|command| (command, inspecting));
        let reading = READING.map(|command| (command, reading));
        let commands = inspecting.into_iter().chain(reading).collect();
        Self { name: name.into(), make: Box::new(make), commands, needs_nobody: false }
    }

    /// The same without some commands, which have a right to take long.
    pub(super) fn without(mut self, commands: &[Command]) -> Self {
        self.commands.retain(|(command, _)| !commands.contains(command));
        self
    }

    /// The same, run by somebody who may not read everything.
    pub(super) fn without_privileges(self) -> Self {
        Self { needs_nobody: true, ..self }
    }

    /// The same, but for one command.
    pub(super) fn but(mut self, command: Command, expected: Expected) -> Self {
        for (known, ends) in &mut self.commands {
            if *known == command {
                *ends = expected;
            }
        }
        self
    }
}

impl Command {
    /// The arguments, but for where the output goes.
    pub(super) fn arguments(self, source: &Path) -> Vec<OsString> {
        let words: &[&str] = match self {
            Self::Inspect => &["inspect"],
            Self::InspectJson => &["inspect", "--json"],
            Self::Check => &["check"],
            Self::Mask => &["mask", "--quiet", "--targets", "--overwrite", "--group", "a=1"],
            Self::MaskInShards => &[
                "mask",
                "--quiet",
                "--overwrite",
                "--group",
                "a=1",
                "--chunks",
                "16",
                "--shards",
                "64",
            ],
            Self::Preview => &["preview", "--overwrite", "--group", "a=1"],
            Self::Sample => &["sample", "--shape", "4", "--count", "1", "--group", "a=1"],
        };
        let source = source.as_os_str().to_owned();
        words.iter().map(OsString::from).chain([source]).collect()
    }

    /// The arguments that say where the output goes.
    pub(super) fn output(self, container: &Path, picture: &Path) -> Vec<OsString> {
        let place = match self {
            Self::Mask | Self::MaskInShards => container,
            Self::Preview => picture,
            _ => return Vec::new(),
        };
        vec!["--output".into(), place.as_os_str().to_owned()]
    }
}
