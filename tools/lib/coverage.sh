# shellcheck shell=bash disable=SC2154
# What the tests on the host have run of the kernel, for tools/test --coverage.  The caller has set: root, and has built
# the preset "coverage".
readonly coverage_dir=$root/build/coverage

coverage_begin() {
    rm -rf -- "$coverage_dir/profile" "$coverage_dir/report"
    mkdir -p "$coverage_dir/profile"
    # Processes of one program add to one file (%m), four of them so that they need not wait for each other.
    export LLVM_PROFILE_FILE=$coverage_dir/profile/%4m.profraw
}

# The programs that were built to count.
coverage_programs() {
    find "$coverage_dir/tests" -type f -executable -path '*/tests/*' ! -name '*.sh' ! -name '*.py' \
        -exec sh -c 'llvm-readelf -S "$1" 2>/dev/null | grep -q __llvm_covmap && echo "$1"' - {} \;
}

coverage_report() {
    local profile=$coverage_dir/profile/all.profdata programs program sources counted
    llvm-profdata merge -sparse -o "$profile" "$coverage_dir"/profile/*.profraw
    mapfile -t programs < <(coverage_programs)
    counted=("--instr-profile=$profile" "${programs[0]}")
    for program in "${programs[@]:1}"; do
        counted+=("-object=$program")
    done
    sources=("$root"/kernel/mm/*.c "$root"/kernel/fs/shm*.c)
    llvm-cov show --format=html --show-branches=count --output-dir="$coverage_dir/report" \
        "${counted[@]}" "$root/kernel" "$root/lib" 2>/dev/null
    llvm-cov export "${counted[@]}" "${sources[@]}" 2>/dev/null >"$profile.json"
    python3 "$root/tools/lib/coverage.py" "$root" <"$profile.json"
    python3 "$root/tools/lib/coverage.py" --missed "$root" <"$profile.json" >"$coverage_dir/report/missed.txt"
}
