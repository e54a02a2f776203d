# Releases: each a folder of root's with code, environment and the scripts that let it serve; the link
# "current" leads to the one that serves, and a log has what became of each.
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
        find digit_classifier apache deployment_scripts setup.py pyproject.toml README.md LICENSE \
            requirements.txt requirements-apache.txt -type f ! -path '*/__pycache__/*' -print0 \
            | LC_ALL=C sort --zero-terminated
    )
}

# The folder of the release that "current" leads to; empty without one.
current_release() {
    local folder
    [[ -L "$PREFIX/current" ]] || return 0
    folder="$(readlink -- "$PREFIX/current")"
    printf '%s\n' "$PREFIX/releases/${folder##*/}"
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

# release_folder WHOLE: print where the release of this clone is, or is to be made: never over the one
# that serves. Fails where it is to be made. WHOLE was just seen to be whole, which takes seconds.
release_folder() {
    local base folder whole="$1"
    base="$PREFIX/releases/$(release_name)"
    for folder in "$base" "$base.anew"; do
        if [[ "$folder" == "$whole" ]] || release_is_whole "$folder"; then
            printf '%s\n' "$folder"
            return
        fi
    done
    if [[ "$(current_release)" != "$base" ]]; then folder="$base"; fi
    printf '%s\n' "$folder"
    return 1
}

# Run a command of a release as the service's user, where the service runs.
as_service() {
    runuser --user "$SERVICE_USER" -- env --ignore-environment --chdir="$HOME_DIR" \
        PATH=/usr/bin:/bin LANG=C.UTF-8 "$@"
}

# Import a release and read a digit with it, in a process of its own; print its output if that fails.
import_release() {
    local release="$1" output
    if ! output="$(as_service "$release/venv/bin/python" -I "$release/digit_classifier.wsgi" 2>&1)"; then
        printf '%s\n' "$output" >&2
        return 1
    fi
}

# The names of the releases that processes run, one a line: those whose libraries they have in memory.
releases_of() {
    local pid folder
    folder="$(realpath -- "$PREFIX/releases")/"
    for pid in "$@"; do
        awk -v folder="$folder" 'i = index($0, folder) {
            name = substr($0, i + length(folder)); sub("/.*", "", name); print name }' \
            "/proc/$pid/maps" 2>/dev/null || true # it may have ended
    done | sort --unique
}

# What became of a release: a line of TIME EVENT NAME REASON. The event is "serves" once it has been
# seen to, or "refused".
log_release() {
    local event="$1" release="$2" reason="${3-}" log="$STATE_DIR/releases.log"
    [[ "$event" != serves || "$(serving_release)" != "$release" ]] || return 0
    printf '%s %s %s %s\n' "$(date --utc +%FT%TZ)" "$event" "${release##*/}" "${reason//$'\n'/ }" >>"$log"
    ensure_attributes 0644 root:root "$log"
}

# A release that serves is not refused for what was changed around it.
refuse() {
    [[ "$1" == "$(serving_release)" ]] || log_release refused "$1" "$2"
}

releases_log() {
    [[ ! -e "$STATE_DIR/releases.log" ]] || cat -- "$STATE_DIR/releases.log"
}

# The folder of the last release that was seen to serve; empty without one.
serving_release() {
    good_releases | sed -n 1p
}

# The folders of the releases that served and were not refused since, the last one first.
good_releases() {
    local name
    while read -r name; do
        if [[ -d "$PREFIX/releases/$name" ]]; then printf '%s\n' "$PREFIX/releases/$name"; fi
    done < <(releases_log | tac | awk '!seen[$3]++ && $2 == "serves" { print $3 }')
}

# The last good release that is not the current one, and is whole; empty without one.
previous_release() {
    local release
    while read -r release; do
        [[ "$release" != "$(current_release)" ]] || continue
        release_is_whole "$release" || continue
        printf '%s\n' "$release"
        return
    done < <(good_releases)
}

# List the releases, the newest first: name, when it was made, of which commit, and what became of it.
list_releases() {
    local release
    printf '%-26s %-20s %-20s %s\n' RELEASE MADE COMMIT STATUS
    while read -r release; do
        printf '%-26s %-20s %-20s %s\n' "${release##*/}" "$(made "$release" time)" \
            "$(made "$release" commit)" "$(status_of "$release")"
    done < <(find "$PREFIX/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' 2>/dev/null \
        | sort --reverse --numeric-sort | cut --delimiter=' ' --fields=2-)
}

# What a release says of its making: its time, or its commit.
made() {
    local found=""
    [[ ! -f "$1/RELEASE" ]] || found="$(sed -n "s/^$2=//p" "$1/RELEASE")"
    printf '%s\n' "${found:--}"
}

status_of() {
    local release="$1" last refusal='^([^ ]+) refused [^ ]+ (.*)$'
    last="$(releases_log | awk -v name="${release##*/}" '$3 == name' | tail -n 1)"
    if [[ "$release" == "$(current_release)" ]]; then
        printf 'serves\n'
    elif [[ "$last" =~ $refusal ]]; then
        printf 'refused on %s: %s\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
    elif [[ -n "$last" ]]; then
        printf 'served before\n'
    else
        printf 'never served\n'
    fi
}

# Keep the last KEEP_RELEASES that served and the last that was refused; always the current one and the
# one before it.
prune_releases() {
    local release kept previous others=()
    kept="$(
        current_release
        good_releases | sed -n "1,${KEEP_RELEASES}p"
        releases_log | awk -v folder="$PREFIX/releases/" \
            '$2 == "refused" { last = $3 } END { if (last) print folder last }'
    )"
    while read -r release; do
        grep --quiet --line-regexp --fixed-strings -- "$release" <<<"$kept" || others+=("$release")
    done < <(find "$PREFIX/releases" -mindepth 1 -maxdepth 1 -type d)
    ((${#others[@]})) || return 0
    previous="$(previous_release)" # which reads a whole release: seconds
    for release in "${others[@]}"; do
        [[ "$release" == "$previous" ]] || ensure_absent "$release"
    done
}
