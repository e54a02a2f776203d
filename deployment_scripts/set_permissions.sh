#!/usr/bin/env bash
# Give each file of the installation its owner and its mode, and report which ones had others.
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

usage() {
    cat <<'END'
Usage: set_permissions.sh

With DEPLOYMENT=system, as root: code, environment and configuration are root's and nobody else can
write them; the service's user can read the settings with the secret, and write two folders: the one
of its processes' readiness and counts, and that of its log.
Otherwise: the settings of this clone are its user's alone.
END
}

set_system() {
    local folder found
    for folder in "${ROOT_FOLDERS[@]}"; do
        ensure_directory 0755 root:root "$folder"
    done
    ensure_directory 0755 "$SERVICE_USER:$SERVICE_USER" "$WORKERS_DIR"
    ensure_directory 0750 "$SERVICE_USER:adm" "$REQUESTS_LOG_DIR"
    ensure_attributes 0640 "root:$SERVICE_USER" "$SETTINGS_FILE"
    # What is not root's, or can be written by others, or cannot be read by all.
    while read -r found; do
        chown --no-dereference -- root:root "$found"
        [[ -L "$found" ]] || chmod -- u=rwX,go=rX "$found"
        changed "$found is root's and read-only again"
    done < <(find "$PREFIX" "$CONFIG_DIR/apache" "$DATA_DIR" "$MODELS_DIR" \
        \( ! -user root -o ! -group root -o ! -type l \( -perm /022 -o ! -perm -044 \) \))
}

set_local() {
    ensure_attributes 0700 "" "$INSTANCE_DIR"
    ensure_attributes 0600 "" "$SETTINGS_FILE"
}

main() {
    case "${1-}" in
        "") ;;
        --help) usage && return ;;
        *) usage_error "unknown option $1" ;;
    esac
    if [[ "$DEPLOYMENT" == system ]]; then set_system; else set_local; fi
}

main "$@"
