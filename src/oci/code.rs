//! The codes of what can be wrong with an image's form, each with the tier that decides what follows from it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What follows from a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// No verdict about the content is possible: exit 3.
    Reject,
    /// The tree is known, and the image is hostile or ambiguous: a finding that fails.
    Fail,
    /// Unusual, and readers differ: a finding of medium weight.
    Flag,
    /// Worth a note.
    Info,
}

macro_rules! codes {
    ($($tier:ident { $($code:ident = $name:literal: $meaning:literal,)+ })+) => {
        /// One thing that can be wrong with an image's form. The names are for ever.
        ///
        /// Written and read by name, so that a code that comes in between changes no other.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $meaning] $code,)+)+
        }

        impl Code {
            /// Every code, by tier.
            pub const ALL: &'static [Self] = &[$($(Self::$code,)+)+];

            /// The kebab-case name used in reports.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($(Self::$code => $name,)+)+ }
            }

            /// What it means, one clause without a full stop.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $($(Self::$code => $meaning,)+)+ }
            }

            /// What follows from it.
            #[must_use]
            pub fn tier(self) -> Tier {
                match self { $($(Self::$code => Tier::$tier,)+)+ }
            }
        }
    };
}

codes! {
    Reject {
        DigestMismatch = "digest-mismatch": "a blob is not the bytes that its digest names",
        SizeMismatch = "size-mismatch": "a blob is not as long as its descriptor says",
        DiffIdMismatch = "diff-id-mismatch": "a layer's uncompressed bytes are not those that the config's diff_id names",
        DiffIdsCount = "diff-ids-count": "the config lists another number of diff_ids than the manifest lists layers",
        BlobMissing = "blob-missing": "a blob that the image needs is not there",
        DigestMalformed = "digest-malformed": "a digest is malformed or of an algorithm that cannot be verified",
        DescriptorDataMismatch = "descriptor-data-mismatch": "a descriptor's embedded data is not the blob it describes",
        JsonMalformed = "json-malformed": "a document is not the JSON that the format asks for",
        JsonDuplicateKey = "json-duplicate-key": "a JSON object holds one key twice: readers differ on which counts",
        JsonCaseVariantKey = "json-case-variant-key": "a JSON key differs from a known one by case only: Go takes it for that key, others do not",
        JsonTrailingData = "json-trailing-data": "bytes follow the JSON value: stream readers stop before them",
        ManifestAmbiguous = "manifest-ambiguous": "one document is a manifest and an index, or denies its media type (CVE-2021-41190)",
        IndexTooDeep = "index-too-deep": "indexes are nested deeper than runtimes follow",
        NotAnImage = "not-an-image": "this is no container image",
        ArchiveAmbiguous = "archive-ambiguous": "the archive holds two images: manifest.json and index.json name different ones",
        ArchiveDuplicateMember = "archive-duplicate-member": "the archive holds one member twice: runtimes differ on which counts",
        ArchiveSeveralImages = "archive-several-images": "the archive holds several images and none was named",
        ArchiveLinkEscapes = "archive-link-escapes": "an archive member links outside the archive",
        ArchiveMalformed = "archive-malformed": "the outer archive is malformed or cut short",
        LayerMediaType = "layer-media-type": "a layer is of a type that cannot be read",
        GzipMalformed = "gzip-malformed": "gzip data is malformed, cut short, or fails its checksum",
        GzipTrailingData = "gzip-trailing-data": "bytes follow the last gzip member: hosts differ on whether they accept them",
        ZstdMalformed = "zstd-malformed": "zstd data is malformed or cut short",
        ZstdTrailingData = "zstd-trailing-data": "bytes follow the last zstd frame",
        XzMalformed = "xz-malformed": "xz data is malformed or cut short",
        TarMalformed = "tar-malformed": "a tar header or extension record is malformed",
        TarTruncated = "tar-truncated": "the tar ends inside an entry",
        TarEntryType = "tar-entry-type": "a tar entry is of a type that runtimes refuse",
        TarHeaderTooLarge = "tar-header-too-large": "a tar extension header is larger than runtimes accept",
        LimitExceeded = "limit-exceeded": "a limit was hit; what lies behind it was not examined",
        PathEscapesRoot = "path-escapes-root": "a path or hard link climbs above the root",
        NameTooLong = "name-too-long": "a path component is longer than 255 bytes",
        PathTooLong = "path-too-long": "a path is longer than 4,095 bytes",
        SymlinkLoop = "symlink-loop": "an entry lies below symbolic links that go in a circle",
        ParentNotDirectory = "parent-not-directory": "an entry lies below something of the same layer that is no directory",
        RootNotDirectory = "root-not-directory": "an entry makes the root something else than a directory",
        WhiteoutAfterSibling = "whiteout-after-sibling": "a whiteout follows the file of its name in one layer: overlay runtimes refuse it, others delete the file",
        WhiteoutInvalidName = "whiteout-invalid-name": "a whiteout names nothing, itself or its parent",
        HardlinkTargetNotInLayer = "hardlink-target-not-in-layer": "a hard link has no target earlier in its own layer",
        HardlinkToDirectory = "hardlink-to-directory": "a hard link points to a directory",
        ImageNotFound = "image-not-found": "the image or platform asked for is not in this file",
        InputUnreadable = "input-unreadable": "the input could not be read",
        RegistryUnreachable = "registry-unreachable": "a registry could not be reached, or broke off too often",
        RegistryUnauthorized = "registry-unauthorized": "a registry does not let this image be read: credentials are missing, wrong or too weak",
        RegistryNotFound = "registry-not-found": "a registry has no image of this name, tag or digest, or hides it",
        RegistryError = "registry-error": "a registry answered with an error, or with what no registry answers",
        ContentNotKept = "content-not-kept": "a file that decides a fact could not be read again",
    }
    Fail {
        OpaqueRoot = "opaque-root": "an opaque whiteout at the root: the kernel ignores it, other readers delete everything below",
        WhiteoutThenRecreateDir = "whiteout-then-recreate-dir": "a layer removes a directory and makes it again: overlay runtimes still show the old content",
        WhiteoutPrefixInPath = "whiteout-prefix-in-path": "an entry lies below a directory named like a whiteout: runtimes show it, many tools do not",
        EntryThroughLowerSymlink = "entry-through-lower-symlink": "an entry lies below a lower layer's symbolic link: overlay replaces the link, others follow it",
        OverlayWhiteoutDevice = "overlay-whiteout-device": "a 0:0 character device: overlay runtimes take it for a whiteout",
        OverlayXattr = "overlay-xattr": "an overlayfs attribute that some runtimes obey: it can hide or redirect directories",
        DuplicateEntry = "duplicate-entry": "a layer holds one path twice: runtimes refuse it or take the last",
        HardlinkMetadataDiffers = "hardlink-metadata-differs": "a hard link's own metadata differs from its target's: runtimes apply it to both names",
        IdOutOfRange = "id-out-of-range": "a user or group id is outside 0 to 4294967294: runtimes make it root",
        ModeTypeBits = "mode-type-bits": "a mode that says another file type than the entry: some tools skip the file",
        SizeOnBodylessEntry = "size-on-bodyless-entry": "an entry that has no content carries a size: some tools skip what follows it",
        PaxSizeDiffers = "pax-size-differs": "the PAX size differs from the header size: readers disagree on where the next entry is",
        MixedExtensionHeaders = "mixed-extension-headers": "extension headers that readers combine differently",
        PaxGlobalNamed = "pax-global-named": "a global PAX header bears an existing file's name: some runtimes delete that file",
        PaxGlobalRecord = "pax-global-record": "a global PAX header carries records that some readers apply and runtimes do not",
        GnuHeaderPrefix = "gnu-header-prefix": "a GNU header with text where its prefix would be: readers see different names",
        UserUnresolved = "user-unresolved": "the USER's name or group is not in the image's own databases: the container will not start",
        UserOutOfRange = "user-out-of-range": "the USER is a number outside 0 to 2147483647: refused, or wrapped to root (CVE-2024-40635)",
    }
    Flag {
        OpaqueAfterImpliedParent = "opaque-after-implied-parent": "an opaque whiteout after content below an implied directory: some readers delete that content",
        OpaqueImpliedDir = "opaque-implied-dir": "an opaque whiteout in a directory that no entry makes",
        ImpliedParentOverLower = "implied-parent-over-lower": "a directory that is only implied lies over a lower one with other metadata: runtimes differ on which counts",
        ParentIsLowerFile = "parent-is-lower-file": "an entry lies below a lower layer's file: overlay replaces the file, others refuse",
        WhiteoutUnderWhiteout = "whiteout-under-whiteout": "a whiteout lies inside a directory that the same layer removes",
        AufsMetadata = "aufs-metadata": "aufs bookkeeping in a layer: overlay runtimes show it as files",
        SymlinkParentDangling = "symlink-parent-dangling": "an entry lies below a symbolic link whose target does not exist: some runtimes refuse, some create it",
        TarSparse = "tar-sparse": "a sparse file in a layer: the spec advises against it, many tools read it wrongly",
        TarTrailingData = "tar-trailing-data": "data follows the end of the tar: no runtime reads it",
        TarSignedChecksum = "tar-signed-checksum": "a header checksum computed over signed bytes, as very old tar programs did",
        FileNameTrailingSlash = "file-name-trailing-slash": "a file whose name ends in a slash: tools differ on whether it is a directory",
        ZstdLeadingSkippable = "zstd-leading-skippable": "a zstd layer that starts with a skippable frame: some runtimes do not recognise it",
        LayerMediaTypeMismatch = "layer-media-type-mismatch": "a layer's bytes are not of the compression that its media type says",
        MediaTypesMixed = "media-types-mixed": "OCI and Docker media types in one manifest",
        LayerNondistributable = "layer-nondistributable": "a layer of a non-distributable type",
        LazyTocUnchecked = "lazy-toc-unchecked": "a layer carries a table of contents for lazy pulling, which was not compared with its tar",
        PlatformMismatch = "platform-mismatch": "the index says another platform than the image's config",
        IndexAmbiguousPlatform = "index-ambiguous-platform": "an index holds two images for one platform: which one runs depends on the reader",
        ConfigNameMismatch = "config-name-mismatch": "the archive's name for the config is not its digest",
        UserDbSymlink = "user-db-symlink": "/etc/passwd or /etc/group is a symbolic link: runtimes differ on whether they follow it",
        UserIsRoot = "user-is-root": "the container runs as uid 0",
    }
    Info {
        IndexEntryNotExamined = "index-entry-not-examined": "an index lists something that is not in this file or is no image: it was not examined",
        EntryThroughSymlink = "entry-through-symlink": "an entry is written through a symbolic link of the same layer",
        PathNotNormal = "path-not-normal": "a name with doubled slashes, inner dots or other spellings",
        WhiteoutNotEmpty = "whiteout-not-empty": "a whiteout with content",
        WhiteoutNotRegular = "whiteout-not-regular": "a whiteout that is no regular file",
        WhiteoutReservedName = "whiteout-reserved-name": "a name with a whiteout prefix that is reserved",
        RootEntryMetadata = "root-entry-metadata": "an entry for the root directory itself: some runtimes apply it",
        ElfContradictory = "elf-contradictory": "headers of an executable ELF file contradict one another: tools may read another file than loaders do",
        ElfMalformed = "elf-malformed": "an executable file starts as ELF, and no loader takes it",
        ComponentMalformed = "component-malformed": "what an installed package or program says of itself cannot be read wholly",
        XattrLibarchive = "xattr-libarchive": "attributes under LIBARCHIVE.xattr, which runtimes ignore",
    }
}

impl From<Code> for &'static str {
    fn from(code: Code) -> Self {
        code.as_str()
    }
}

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|code| code.as_str() == name);
        known.copied().ok_or_else(|| "there is no code of that name".to_owned())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_by_its_name() {
        for code in Code::ALL {
            assert_eq!(Code::try_from(code.as_str().to_owned()), Ok(*code));
        }
        assert!(Code::try_from("no-such-code".to_owned()).is_err());
    }

    #[test]
    fn every_name_is_unique_and_kebab_case() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
