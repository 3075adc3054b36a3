//! Every cap on what is read from outside: bytes, entries, depth, extents, hops.
//!
//! A cap that is hit is an error that names the cap, its value and what was found; it is never a silent skip.

/// A cap that was hit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("limit {name} is {limit}, found {found}; raise it with --limit {name}=N if you trust the image")]
pub struct LimitHit {
    /// The cap's name, as `--limit NAME=VALUE` takes it.
    pub name: &'static str,
    /// The cap.
    pub limit: u64,
    /// What was found (the first value known to be over the cap).
    pub found: u64,
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $field:ident / $name:literal = $value:expr;)+) => {
        /// The caps, with their defaults from `Limits::default()`; every one can be overridden by name.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $field: u64,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $value,)+ }
            }
        }

        impl Limits {
            /// Name, default value and meaning of every cap, in the order of the struct.
            pub const ALL: &'static [(&'static str, u64, &'static str)] =
                &[$(($name, $value, concat!($($doc),+)),)+];

            /// Name and value of every cap, in the order of the struct.
            #[must_use]
            pub fn values(&self) -> Vec<(&'static str, u64)> {
                vec![$(($name, self.$field),)+]
            }

            /// Sets the cap called `name`; false when there is none of that name.
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $($name => self.$field = value,)+
                    _ => return false,
                }
                true
            }

            $(
                $(#[doc = $doc])+
                ///
                /// Err when `found` is over the cap.
                pub fn $field(&self, found: u64) -> Result<(), LimitHit> {
                    if found > self.$field {
                        return Err(LimitHit { name: $name, limit: self.$field, found });
                    }
                    Ok(())
                }
            )+
        }
    };
}

/// One KiB in bytes.
pub const KIB: u64 = 1024;
/// One MiB in bytes.
pub const MIB: u64 = 1024 * KIB;
/// One GiB in bytes.
pub const GIB: u64 = 1024 * MIB;

limits! {
    /// Bytes of one manifest, index, config, `manifest.json` or `index.json` (distribution and containers/image: 4 MiB).
    document_bytes / "document-bytes" = 4 * MIB;
    /// Bytes of all attestation blobs of one source (BuildKit's storage document allows 40 MiB for one).
    attestation_bytes / "attestation-bytes" = 40 * MIB;
    /// Nesting of JSON values.
    json_depth / "json-depth" = 64;
    /// Members of all objects and arrays of one JSON document.
    json_members / "json-members" = 100_000;
    /// Nesting of image indexes.
    index_depth / "index-depth" = 4;
    /// Descriptors in all image indexes of one source.
    index_manifests / "index-manifests" = 1_000;
    /// Layers of one image.
    layers / "layers" = 512;
    /// Stored bytes of all layers of one image, as the manifest says.
    stored_bytes / "stored-bytes" = 64 * GIB;
    /// Uncompressed bytes of all layers of one image.
    image_bytes / "image-bytes" = 64 * GIB;
    /// Uncompressed bytes of one layer, holes of sparse files included.
    layer_bytes / "layer-bytes" = 32 * GIB;
    /// Bytes of window that a zstd frame may ask for (libzstd's windowLog 27).
    zstd_window_bytes / "zstd-window-bytes" = 128 * MIB;
    /// Bytes of memory that the xz decoder may use.
    xz_memory_bytes / "xz-memory-bytes" = 128 * MIB;
    /// Entries of one layer.
    layer_entries / "layer-entries" = 2_000_000;
    /// Entries of all layers of one image.
    image_entries / "image-entries" = 5_000_000;
    /// Entries of all layers of all images of one source, each image's counted by itself (an index may name one layer often); of a stream, all layers that pass.
    source_entries / "source-entries" = 20_000_000;
    /// Bytes of all names, link targets and extended attributes of one layer.
    layer_name_bytes / "layer-name-bytes" = 512 * MIB;
    /// Bytes of one path (the kernel's PATH_MAX without its NUL).
    path_bytes / "path-bytes" = 4_095;
    /// Bytes of one path component (NAME_MAX).
    name_bytes / "name-bytes" = 255;
    /// Components of one path.
    path_depth / "path-depth" = 2_048;
    /// Bytes of one symbolic link's target.
    link_bytes / "link-bytes" = 4_095;
    /// Bytes of one PAX or GNU extension member (Go: 1 MiB).
    tar_extension_bytes / "tar-extension-bytes" = MIB;
    /// Extension members in a row before an entry.
    tar_extensions / "tar-extensions" = 16;
    /// Data extents of one sparse file.
    sparse_extents / "sparse-extents" = 10_000;
    /// Bytes of one extended attribute's value (the kernel's XATTR_SIZE_MAX).
    xattr_bytes / "xattr-bytes" = 64 * KIB;
    /// Bytes of all extended attributes of one entry.
    xattrs_bytes / "xattrs-bytes" = MIB;
    /// Symbolic links followed in one resolution (the kernel's MAXSYMLINKS).
    symlink_hops / "symlink-hops" = 40;
    /// Names looked up, and copied through links, while one tree is merged.
    merge_steps / "merge-steps" = 500_000_000;
    /// Bytes of all absolute paths of one merged tree.
    tree_path_bytes / "tree-path-bytes" = GIB;
    /// Bytes of one file body that is kept for the facts; databases have limits of their own.
    kept_file_bytes / "kept-file-bytes" = 64 * MIB;
    /// Bytes of all file bodies that are kept of one image.
    kept_bytes / "kept-bytes" = 512 * MIB;
    /// Bytes of `/etc/passwd` or `/etc/group` (moby/sys/user reads 10 MiB).
    user_database_bytes / "user-database-bytes" = 10 * MIB;
    /// Bytes at the start of an ELF file, what holds no tables left out, that are searched for headers and the dynamic string table; patchelf
    /// puts both at the end of files of tens of MiB.
    elf_head_bytes / "elf-head-bytes" = 64 * MIB;
    /// Bytes of an ELF dynamic segment or string table; libraries of C++ have string tables of tens of MiB.
    elf_dynamic_bytes / "elf-dynamic-bytes" = 64 * MIB;
    /// Program headers of an ELF file.
    elf_program_headers / "elf-program-headers" = 1_024;
    /// Bytes of the build information of one Go program.
    build_info_bytes / "build-info-bytes" = MIB;
    /// Bytes of one file that says what software it is of: `package.json`, `*.deps.json`, `installed.json`.
    declared_bytes / "declared-bytes" = 4 * MIB;
    /// Installed packages of languages, modules of programs and runtimes in one image.
    components / "components" = 1_000_000;
    /// Bytes of one text file that is searched for secrets of all kinds; larger ones are searched for private keys only.
    secret_file_bytes / "secret-file-bytes" = MIB;
    /// Bytes of one file that a dynamic loader reads: `ld.so.cache`, `ld.so.preload`, `/etc/ld-musl-*.path`.
    linker_file_bytes / "linker-file-bytes" = 8 * MIB;
    /// Names looked up, and 64 bytes of folders walked, while the shared libraries of one image's programs are resolved.
    linking_steps / "linking-steps" = 20_000_000;
    /// Bytes of one package database.
    package_database_bytes / "package-database-bytes" = 256 * MIB;
    /// Packages in all databases of one image.
    packages / "packages" = 1_000_000;
    /// Files that packages own, in all databases of one image.
    package_files / "package-files" = 5_000_000;
    /// Names that packages require and provide, and pairs of packages of which one requires the other, in all databases of one image.
    package_relations / "package-relations" = 5_000_000;
    /// Members of an outer archive.
    archive_members / "archive-members" = 10_000;
    /// Bytes of small members kept in memory while an archive is read as a stream.
    archive_kept_bytes / "archive-kept-bytes" = 64 * MIB;
    /// Times that one request to a registry is made before its failure counts.
    registry_tries / "registry-tries" = 5;
    /// Times that one blob is taken up again after its connection broke.
    registry_resumes / "registry-resumes" = 10;
    /// Redirects that are followed for one request to a registry.
    registry_redirects / "registry-redirects" = 5;
    /// Seconds that a registry may take to connect, to start an answer, or to send anything of it: less than 1 KiB a second over so long is nothing.
    registry_stall_seconds / "registry-stall-seconds" = 30;
    /// Seconds to wait at most before another try, whatever a registry asks for.
    registry_wait_seconds / "registry-wait-seconds" = 60;
    /// Seconds that reading one image from a registry may take.
    registry_seconds / "registry-seconds" = 86_400;
    /// Bytes of a registry's error that are looked at.
    registry_error_bytes / "registry-error-bytes" = 64 * KIB;
    /// Bytes of the answer of a registry's token service.
    registry_token_bytes / "registry-token-bytes" = 64 * KIB;
    /// Bytes of one file of credentials for registries.
    registry_auth_file_bytes / "registry-auth-file-bytes" = MIB;
    /// Bytes of the expression of one rule of a policy.
    rule_bytes / "rule-bytes" = 4 * KIB;
    /// Nesting of the expression of one rule.
    rule_depth / "rule-depth" = 100;
    /// Macros over lists (`exists`, `filter`, ...) inside one another.
    rule_nesting / "rule-nesting" = 2;
    /// Steps of the evaluation of one rule on one image: about one for each operand of each element that it looks at.
    rule_steps / "rule-steps" = 200_000_000;
    /// Bytes of one Dockerfile.
    dockerfile_bytes / "dockerfile-bytes" = MIB;
    /// Lines of one Dockerfile.
    dockerfile_lines / "dockerfile-lines" = 50_000;
    /// Bytes of one line of a Dockerfile (BuildKit: 64 KiB less one).
    dockerfile_line_bytes / "dockerfile-line-bytes" = 64 * KIB - 1;
    /// Stages of one Dockerfile.
    dockerfile_stages / "dockerfile-stages" = 1_000;
    /// Dockerfiles that are read below --source-root.
    dockerfiles / "dockerfiles" = 200;
    /// Entries of folders that are looked at below --source-root.
    source_root_entries / "source-root-entries" = 200_000;
    /// Folders inside one another that are looked into below --source-root.
    source_root_depth / "source-root-depth" = 16;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_can_be_set_by_its_name() {
        for (name, default, doc) in Limits::ALL {
            let mut limits = Limits::default();
            assert!(limits.set(name, default + 1), "{name}");
            assert_ne!(limits, Limits::default(), "{name}");
            assert!(limits.values().contains(&(*name, default + 1)), "{name}");
            assert!(!doc.is_empty());
        }
        assert!(!Limits::default().set("no-such-limit", 1));
    }

    #[test]
    fn a_value_at_the_limit_passes_and_one_more_does_not() {
        let limits = Limits::default();
        assert!(limits.symlink_hops(40).is_ok());
        let hit = limits.symlink_hops(41).unwrap_err();
        assert_eq!((hit.name, hit.limit, hit.found), ("symlink-hops", 40, 41));
    }
}
