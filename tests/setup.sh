# What the scripts need on a bare Debian machine; sourced, not run.

# as_root COMMAND...: with sudo where we are not root
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# need_packages COMMAND=PACKAGE...: installs the packages whose commands are missing
need_packages() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} = 0 ] && return 0
  echo "installing ${missing[*]}" >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# need_rust: cargo of the version that rust-toolchain.toml pins, and a C compiler for libzstd
need_rust() {
  need_packages cc=gcc
  [ -x "$HOME/.cargo/bin/cargo" ] && PATH=$HOME/.cargo/bin:$PATH
  if ! command -v cargo >/dev/null 2>&1; then
    need_packages curl=curl update-ca-certificates=ca-certificates
    echo "installing the Rust toolchain with rustup" >&2
    if ! curl -sSf --proto '=https' --tlsv1.2 https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain none >&2; then
      echo "Rust is missing and could not be fetched: install rustup from https://rustup.rs, then run this again" >&2
      return 1
    fi
    PATH=$HOME/.cargo/bin:$PATH
  fi
  export PATH
}
