# Debian packages, for ugreen-py, run-tests and tools/root. To be sourced by a POSIX shell; needs $root (this repository) and $program (its name in messages).

say() { printf '%s: %s\n' "$program" "$*" >&2; }

# Name of the Debian release whose packages are meant; set before it is read in, another one than this system's.
[ -n "${release:-}" ] || release=$(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_CODENAME:-}")

# packages_in SECTION...: the packages listed there for the release, one a line.
packages_in() {
    for section; do
        sed -n "/^\[$section\]/,/^\[/{/^[a-z0-9]/p;}" "$root/tools/debian-packages"
    done | while IFS=: read -r package releases; do
        case " $releases " in
            "  " | *" $release "*) printf '%s\n' "$package" ;;
        esac
    done
}

# missing_packages SECTION...: those of them that are not installed. Without dpkg that is all of them.
missing_packages() {
    listed=$(packages_in "$@")
    # shellcheck disable=SC2086 # one word per package
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' $listed 2>/dev/null | sed -n 's/ installed$//p')
    for package in $listed; do
        printf '%s\n' "$installed" | grep -qxF -- "$package" || printf '%s\n' "$package"
    done
}

# How a command becomes root's: empty for root, "sudo -n" where that asks nothing; fails where neither holds or there is no apt-get.
root_prefix() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" = 0 ] && return 0
    command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null && printf 'sudo -n'
}

# install_packages PACKAGE...: installs them; on failure shows the end of apt's output. apt's package lists are refreshed only when the first attempt fails.
install_packages() {
    prefix=$(root_prefix) || return 1
    log=$root/artifacts/launcher/apt.log
    mkdir -p "${log%/*}"
    say "installing Debian packages: $*"
    for attempt in first second; do
        # shellcheck disable=SC2086 # the prefix is zero or two words
        if $prefix env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 </dev/null; then
            return 0
        fi
        # shellcheck disable=SC2086
        [ "$attempt" = first ] && $prefix apt-get update -q >>"$log" 2>&1 </dev/null
    done
    tail -n 5 "$log" >&2
    return 1
}
