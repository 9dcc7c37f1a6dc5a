# shellcheck shell=bash disable=SC2154,SC2054
# Packages and builds, for tools/run and tools/test.  The caller has set: root (of the repository), me (its own name).
# Everything here is silent when there is nothing to say, and speaks on stderr.

die() { # STATUS MESSAGE...
    local status=$1
    shift
    echo "$me: $*" >&2
    exit "$status"
}

# Is any of the commands or file patterns there?
package_present() {
    local check
    for check in "$@"; do
        if [[ $check == /* ]]; then
            compgen -G "$check" >/dev/null && return 0
        else
            command -v -- "$check" >/dev/null && return 0
        fi
    done
    return 1
}

# Sets `missing` to the packages that are not there.  $1: "gdb" asks for that optional one too.
packages_find_missing() {
    local package checks
    missing=()
    while read -r package checks; do
        case $package in
        '' | '#'*) continue ;;
        optional)
            read -r package checks <<<"$checks"
            [[ $package == "${1-}" ]] || continue
            ;;
        esac
        # The patterns are expanded by compgen, not here.
        set -f
        # shellcheck disable=SC2086
        package_present $checks || missing+=("$package")
        set +f
    done <"$root/tools/packages"
}

# Installs `missing` with apt-get.  False when there is no way to.
packages_install() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y) known=() package log
    command -v apt-get >/dev/null || return 1
    if [[ $EUID -ne 0 ]]; then
        sudo -n true 2>/dev/null || return 1
        apt=(sudo -n "${apt[@]}")
    fi
    "${apt[@]}" update >/dev/null 2>&1 || true
    # Some releases have a package's files in another package, which comes along by itself.
    for package in "${missing[@]}"; do
        apt-cache show "$package" >/dev/null 2>&1 && known+=("$package")
    done
    [[ ${#known[@]} -gt 0 ]] || return 1
    echo "$me: installing ${known[*]}" >&2
    log=$(mktemp)
    if ! "${apt[@]}" install --no-install-recommends "${known[@]}" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
    fi
    rm -f "$log"
    hash -r
}

# Sees to it that all packages are there, or ends with status 2 and their names.
packages_require() {
    local missing
    packages_find_missing "$@"
    [[ ${#missing[@]} -gt 0 ]] || return 0
    packages_install || true
    packages_find_missing "$@"
    [[ ${#missing[@]} -eq 0 ]] ||
        die 2 "missing packages: ${missing[*]}
  try: apt-get install --no-install-recommends ${missing[*]}"
}

# build_target PRESET TARGET: configures when needed, and builds.  Prints the log only when that fails.
build_target() {
    local preset=$1 target=$2 dir=$root/build/$1 log status=0
    mkdir -p "$dir"
    log=$dir/build.log
    # Two runs at once take turns; ninja itself does not guard its folder.
    exec {build_lock}>"$dir/.lock"
    flock "$build_lock"
    : >"$log"
    if [[ ! -f $dir/build.ninja ]]; then
        (cd "$root" && cmake --preset "$preset") >>"$log" 2>&1 || status=$?
    fi
    if [[ $status -eq 0 ]]; then
        ninja -C "$dir" "$target" >>"$log" 2>&1 || status=$?
    fi
    exec {build_lock}>&-
    if [[ $status -ne 0 ]]; then
        grep -v '^\[[0-9]*/[0-9]*\] [A-Z][a-z]*ing ' "$log" >&2 || true
        die 125 "the build failed; the whole log is in $log"
    fi
}
