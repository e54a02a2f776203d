#!/usr/bin/env bash
# Make a release of this clone: an environment with the pinned requirements and the package, root's.
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

# MiB that a release takes at most, while it is made.
readonly MOST_MIB=450

usage() {
    cat <<'END'
Usage: install_release.sh FILE

Makes PREFIX/releases/VERSION-DIGEST, unless it is there and whole, and writes its path into FILE.
It does not serve yet; build_all_EC2.sh goes on from there.
END
}

# In a shell of its own, which ends with the first command that fails.
build() (
    set -e
    release="$1"
    sources="$(mktemp --directory)"
    trap 'rm -rf -- "$sources"' EXIT
    # From a copy: building a package leaves things beside its sources, which are the operator's.
    release_sources | (cd -- "$PROJECT_DIR" && xargs --null cp --parents --target-directory="$sources")
    mkdir -- "$release/source"
    "$PYTHON" -m venv "$release/venv"
    install_requirements "$release/venv" "$sources/requirements.txt"
    (cd -- "$sources" && pip_of "$release/venv" install --no-deps --no-build-isolation .)
    install -m 0644 -- "$sources/apache/digit_classifier.wsgi" "$release/digit_classifier.wsgi"
    # Its own scripts and templates: another version's may not know what this one needs.
    (cd -- "$sources" && cp --parents --recursive --target-directory="$release/source" \
        apache deployment_scripts digit_classifier/samples/4-7.png)
    printf 'time=%s\ncommit=%s\n' "$(date --utc +%FT%TZ)" "$(commit)" >"$release/RELEASE"
    chmod --recursive u=rwX,go=rX -- "$release"
    write_manifest "$release"
)

# The commit of the clone, with a "+" where files were changed since; "-" where git knows none.
commit() {
    git -c safe.directory='*' -C "$PROJECT_DIR" describe --always --abbrev=12 --exclude='*' \
        --dirty=+ 2>/dev/null || echo -
}

main() {
    case "${1-}" in
        "") usage_error "a file is to be named" ;;
        --help) usage && return ;;
        -*) usage_error "unknown option $1" ;;
    esac
    ensure_python
    ensure_ensurepip
    local serving release status message log="$1.log"
    serving="$(current_release)"
    if [[ -n "$serving" ]] && ! release_is_whole "$serving"; then
        changed "release ${serving##*/} was altered, another takes its place"
        serving=""
    fi
    if ! release="$(release_folder "$serving")"; then
        rm -rf -- "$release"
        require_space "$MOST_MIB" "$PREFIX"
        (umask 022 && mkdir -p -- "$release")
        set +e # beside || or in a condition, the shell of build would not end at an error either
        build "$release" >"$log" 2>&1
        status=$?
        set -e
        ((status == 0)) || rm -rf -- "$release" # which may have filled the disk
        message="$(tail -n 5 -- "$log")"
        mv -f -- "$log" "$PREFIX/releases/build.log" || true
        ((status == 0)) || die "The release cannot be made: $message"
        changed "release ${release##*/} made"
    fi
    link_assets "$release/venv" "$release"
    printf '%s\n' "$release" >"$1"
}

main "$@"
