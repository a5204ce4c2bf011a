#!/usr/bin/env bash
# Checks the Rust toolchain, and installs the missing packages that building (`build`), building and testing (`test`) or
# comparing with other recorders (`bench`) needs. Does nothing, and asks for no password, when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    if (($#)); then printf 'hint: %s\n' "$@" >&2; fi
    exit 1
}

wanted_packages() {
    tr -s ' ' '\n' <<<"$BUILD_PACKAGES"
    local lists=()
    if [[ $1 != build ]]; then lists+=(tests/support/packages.txt); fi
    if [[ $1 == bench ]]; then lists+=(benches/compare/packages.txt); fi
    if ((${#lists[@]})); then sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "${lists[@]}"; fi
}

is_installed() {
    # A package can be there for several architectures, one line each.
    dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# The same libraries under other names, so the check is for what the build really looks for.
check_without_apt() {
    local missing=()
    command -v cc >/dev/null || missing+=("a C compiler")
    command -v pkg-config >/dev/null || missing+=("pkg-config")
    pkg-config --exists alsa 2>/dev/null || missing+=("the ALSA headers")
    if [[ $1 != build ]]; then
        pkg-config --exists libpipewire-0.3 2>/dev/null || missing+=("the PipeWire headers")
        local tool
        for tool in pulseaudio pactl pipewire pipewire-pulse wireplumber dbus-run-session arecord sox ffmpeg; do
            command -v "$tool" >/dev/null || missing+=("$tool")
        done
    fi
    ((${#missing[@]})) || return 0
    local list
    printf -v list '%s, ' "${missing[@]}"
    fail "missing: ${list%, }; this system has no apt-get, so they cannot be installed from here" \
        "install what these Debian packages hold, then run the same command again: $(wanted_packages "$1" | paste -sd ' ')"
}

install_packages() {
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null ||
            fail "packages are missing, and there is no sudo to install them with: $*" \
                "as root: apt-get install --no-install-recommends $*"
        as_root=(sudo)
    fi
    printf 'installing %s\n' "$*" >&2
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
    local said
    said=$(mktemp)
    # Hundreds of lines that nobody reads, unless it fails.
    "${apt[@]}" update >"$said" 2>&1 ||
        printf 'warning: apt-get update failed; going on with the lists that are there\n' >&2
    # --no-remove: a desktop's own sound server must not be taken away to make room for the one of the tests.
    "${apt[@]}" install -y --no-install-recommends --no-remove "$@" >"$said" 2>&1 ||
        { cat "$said" >&2; fail "apt-get could not install: $*" \
            "if it stopped because packages would be removed (pipewire-alsa and pulseaudio exclude each other), nothing was changed; run this in a container, or remove them yourself"; }
    rm -f "$said"
}

# What gets a newer toolchain here: rustup where it is, else what this distribution calls its newer one.
newer_toolchain() {
    if command -v rustup >/dev/null; then
        printf 'rustup update stable'
        return
    fi
    local package
    package=$(apt-cache pkgnames 2>/dev/null | grep -E '^(rustc-web|rustc-1\.[0-9]+)$' | sort -V | tail -n 1 || true)
    printf 'https://rustup.rs installs a current one beside it'
    if [[ -n $package ]]; then printf '; this distribution also has %s with %s' "$package" "${package/rustc/cargo}"; fi
}

check_toolchain() {
    command -v cargo >/dev/null || fail "cargo is not installed" "https://rustup.rs installs the Rust toolchain"
    command -v rustc >/dev/null || fail "rustc is not installed" "https://rustup.rs installs the Rust toolchain"
    local needed have
    needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    have=$(rustc --version | cut -d ' ' -f 2)
    [[ $(printf '%s\n' "$needed" "$have" | sort -V | head -n 1) == "$needed" ]] ||
        fail "Rust $needed or newer is needed, this is $have" "$(newer_toolchain)"
}

purpose=${1:-}
[[ $purpose == build || $purpose == test || $purpose == bench ]] || fail "usage: scripts/setup.sh build|test|bench"
[[ -n ${BUILD_PACKAGES:-} ]] || fail "BUILD_PACKAGES is not set" "run 'make setup' or 'make setup-test'"

# Before anything is installed: what cannot be built needs no packages.
check_toolchain

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    missing=()
    while read -r package; do
        is_installed "$package" || missing+=("$package")
    done < <(wanted_packages "$purpose")
    if ((${#missing[@]})); then install_packages "${missing[@]}"; fi
elif [[ $(uname -s) == Linux ]]; then
    check_without_apt "$purpose"
fi
