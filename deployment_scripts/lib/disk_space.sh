# Check the free space before a deployment writes anything: a full disk would end it half-way.
# shellcheck shell=bash

# require_space MIB FOLDER...: fail where the disk of a folder, which need not exist yet, has less
require_space() {
    local needed="$1" folder existing free
    shift
    for folder in "$@"; do
        existing="$folder"
        while [[ ! -e "$existing" ]]; do existing="$(dirname -- "$existing")"; done
        free="$(df --block-size=1M --output=avail -- "$existing" | tail -n 1)"
        ((free >= needed)) \
            || die "The disk of $folder is full: $((free)) MiB are free and $needed are needed." \
                "Nothing was changed."
    done
}
