#!/usr/bin/env bash
# Puts the release build, its man page and its completions below a folder, or takes them away: install.sh ACTION PREFIX
set -euo pipefail
cd "$(dirname "$0")/.."

action=${1:?install or uninstall}
prefix=${2:?the folder that has bin and share in it}
program=$prefix/bin/dictaphone
man=$prefix/share/man/man1/dictaphone.1
declare -A completions=(
    [bash]=$prefix/share/bash-completion/completions/dictaphone
    [zsh]=$prefix/share/zsh/site-functions/_dictaphone
    [fish]=$prefix/share/fish/vendor_completions.d/dictaphone.fish
)

case $action in
install)
    built=$(scripts/release-program.sh)
    install -D -m 755 "$built" "$program"
    scratch=$(mktemp)
    trap 'rm -f "$scratch"' EXIT
    "$built" man >"$scratch"
    install -D -m 644 "$scratch" "$man"
    for shell in "${!completions[@]}"; do
        "$built" completions "$shell" >"$scratch"
        install -D -m 644 "$scratch" "${completions[$shell]}"
    done
    printf 'installed %s\n' "$program"
    case ":$PATH:" in
    *":$prefix/bin:"*) ;;
    *) printf 'hint: %s is not in your PATH\n' "$prefix/bin" ;;
    esac
    ;;
uninstall)
    there=()
    for file in "$program" "$man" "${completions[@]}"; do
        if [[ -e $file || -L $file ]]; then there+=("$file"); fi
    done
    if ((${#there[@]} == 0)); then
        printf 'nothing of dictaphone is in %s\n' "$prefix"
    else
        rm -f "${there[@]}"
        printf 'removed %s\n' "${there[@]}"
    fi
    ;;
*)
    printf 'error: unknown action %s\n' "$action" >&2
    exit 2
    ;;
esac
