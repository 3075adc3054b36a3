//! Names of commands that a reader of scripts has to know.

/// Commands that shells hold themselves, those of bash included.
pub(super) const BUILTINS: &str = ". : [ alias bg bind break builtin caller cd command compgen complete compopt continue declare dirs disown echo \
    enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read \
    readarray readonly return set shift shopt source suspend test times trap true type typeset ulimit umask unalias unset wait";

/// Programs that bring files: what is absent from the image may be there once they ran.
pub(super) const MAKERS: &str = "add-apt-repository apk apt apt-get aws bundle busybox bzip2 cargo chgrp chmod chown composer conda cp cpio curl dd dnf \
    gcc gem git go gpg gsutil gunzip gzip install link ln make mc mkfifo mount mv npm npx patch pip pip3 pnpm poetry python python3 rclone \
    rsync s3cmd scp sed ssh tar tee touch unzip uv wget xargs xz yarn yum zstd";

/// What decides whether the next command is started: after them nothing is certain.
pub(super) const TESTS: &str = "[ test command type hash which grep pgrep true false : getent id";

/// Whether a list holds a name.
pub(super) fn is_in(list: &str, name: &[u8]) -> bool {
    !name.is_empty() && list.split(' ').any(|one| one.as_bytes() == name)
}
