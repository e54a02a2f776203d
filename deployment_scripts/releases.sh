# Releases: each a folder of root's with code and environment; a link tells which one serves.
# shellcheck shell=bash

# In a release: the digests of all its files, written when it is complete.
# shellcheck disable=SC2034  # used by the scripts that source this file
readonly MANIFEST="MANIFEST.sha256"

# Name the release that this clone makes: its version, and a digest of all that goes into it.
release_name() {
    local version digest
    version="$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$PROJECT_DIR/digit_classifier/__init__.py")"
    digest="$({
        printf '%s\n' "$PYTHON_ID" "$MOD_WSGI"
        release_sources | (cd -- "$PROJECT_DIR" && xargs --null sha256sum)
    } | sha256sum)"
    printf '%s-%s\n' "$version" "${digest:0:12}"
}

# Print the files that a release is made of, relative to the clone, each ended by NUL.
release_sources() {
    (
        cd -- "$PROJECT_DIR" || exit
        find digit_classifier apache setup.py pyproject.toml README.md LICENSE requirements.txt \
            requirements-apache.txt -type f ! -path '*/__pycache__/*' -print0 \
            | LC_ALL=C sort --zero-terminated
    )
}

# The folder of the release that serves, or of the one before; nothing if there is none.
release_that() {
    local link="$PREFIX/$1" # current or previous
    [[ -L "$link" ]] || return 0
    readlink --canonicalize -- "$link"
}

# Whether a release is complete, and holds the files that were made, as they were made, and no others.
release_is_whole() {
    local release="$1"
    [[ -f "$release/$MANIFEST" ]] || return 1
    (
        cd -- "$release" || exit
        sha256sum --check --quiet "$MANIFEST" >/dev/null 2>&1 \
            && cut --characters=67- "$MANIFEST" | cmp --silent - <(release_files)
    )
}

write_manifest() {
    local release="$1"
    (
        cd -- "$release" || exit
        release_files | tr '\n' '\0' | xargs --null sha256sum >"$MANIFEST.part"
        mv -- "$MANIFEST.part" "$MANIFEST"
    )
}

# All files of the working folder, but for what Python keeps beside its sources.
release_files() {
    find . -type f ! -name "$MANIFEST*" ! -path '*/__pycache__/*' | LC_ALL=C sort
}

# Where the release of this clone is, or is to be made: never over the one that serves.
release_folder() {
    local base folder
    base="$PREFIX/releases/$(release_name)"
    for folder in "$base" "$base.anew"; do
        if release_is_whole "$folder"; then
            printf '%s\n' "$folder"
            return
        fi
    done
    if [[ "$(release_that current)" != "$base" ]]; then folder="$base"; fi
    printf '%s\n' "$folder"
}

# Run a command of a release as the service's user, where the service runs.
as_service() {
    runuser --user "$SERVICE_USER" -- env --ignore-environment --chdir="$HOME_DIR" \
        PATH=/usr/bin:/bin LANG=C.UTF-8 "$@"
}

# Import and try out a release in a process that is thrown away; tell what it says, if it fails.
try_release() {
    local release="$1" told
    if ! told="$(as_service "$release/venv/bin/python" -I "$release/digit_classifier.wsgi" 2>&1)"; then
        printf '%s\n' "$told" >&2
        return 1
    fi
}

# Let another release serve from the next start of a process on.
switch_to() {
    local release="$1" before
    before="$(release_that current)"
    [[ "$before" == "$release" ]] && return
    [[ -z "$before" ]] || ensure_link "$before" "$PREFIX/previous"
    ensure_link "$release" "$PREFIX/current"
}

# Remove the oldest releases, but neither the one that serves nor the one before.
prune_releases() {
    local release kept=0
    while read -r release; do
        [[ -n "$release" ]] || continue
        kept=$((kept + 1))
        ((kept > KEEP_RELEASES)) || continue
        [[ "$release" != "$(release_that current)" && "$release" != "$(release_that previous)" ]] \
            || continue
        ensure_absent "$release"
    done < <(find "$PREFIX/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' \
        | sort --reverse --numeric-sort | cut --delimiter=' ' --fields=2-)
}
