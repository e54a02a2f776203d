#!/usr/bin/env bash
# Remove what the deployment scripts made, and nothing else; asks first.
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

usage() {
    cat <<'END'
Usage: cleanup.sh [--yes] [--models]
       sudo bash cleanup.sh --system [--yes]

Removes the virtual environments, the generated settings with their secret key, the folders of an
Apache of one's own, and what Python and the tests' tools left in the clone. It lists everything and
asks first. The MNIST files stay.

  --yes      do not ask
  --models   remove the models trained here as well
  --system   remove instead what build_all_EC2.sh made: the service with its settings, models and
             logs, its user, its site, and the packages and modules that were not there before
  --help     show this text
END
}

# Print what is to be removed, each path ended by NUL.
list_made_here() {
    local path
    for path in "$PYVENV" "$TEST_PYVENV"; do
        if made_here "$path"; then printf '%s\0' "$path"; fi
    done
    for path in "$SETTINGS_FILE" "$SETTINGS_FILE.part"; do
        if generated "$path"; then printf '%s\0' "$path"; fi
    done
    for path in digit_classifier.egg-info .coverage .hypothesis .import_linter_cache \
        .mypy_cache .pytest_cache .ruff_cache .tox tests/javascript/node_modules; do
        if [[ -e "$PROJECT_DIR/$path" ]]; then printf '%s\0' "$PROJECT_DIR/$path"; fi
    done
    for path in "$INSTANCE_DIR"/apache-*/; do
        if [[ -f "$path/httpd.conf" ]]; then printf '%s\0' "${path%/}"; fi
    done
    find "$PROJECT_DIR/digit_classifier" "$PROJECT_DIR/tests" -type d -name __pycache__ -prune \
        -print0
}

generated() {
    [[ -f "$1" && "$(head -n 1 -- "$1")" == "$SETTINGS_MARK" ]]
}

list_models() {
    [[ -d "$MODELS_DIR" ]] || return 0
    find "$MODELS_DIR" -mindepth 2 -maxdepth 2 -type f \
        \( -name model.safetensors -o -name model.png -o -name checkpoint.safetensors \) -print0
}

remove() {
    local path="$1"
    # A virtual environment keeps its stamp to the last, so that a second run can finish the work.
    if made_here "$path"; then empty_venv "$path"; fi
    rm -rf -- "$path"
    info "Removed $path"
    # The folders made for the settings and the models go when nothing else is in them.
    case "$path" in
        "$SETTINGS_FILE"* | "$INSTANCE_DIR"/apache-*) drop_if_empty "$(dirname -- "$SETTINGS_FILE")" ;;
        "$MODELS_DIR"/*) drop_if_empty "$(dirname -- "$path")" "$MODELS_DIR" ;;
    esac
}

drop_if_empty() {
    rmdir --ignore-fail-on-non-empty -- "$@"
}

# What the deployment wrote down of what was not there before it.
recorded() {
    if [[ -f "$MADE_DIR/$1" ]]; then LC_ALL=C sort --unique -- "$MADE_DIR/$1"; fi
}

list_system() {
    local path
    for path in "$PREFIX" "$CONFIG_DIR" "$STATE_DIR" "$SITE_FILE" "$HARDENING_FILE" \
        "$ROTATION_FILE" "$REQUESTS_LOG_DIR" "$LOG_DIR"/digit-classifier-*.log*; do
        if [[ -e "$path" ]]; then printf '%s\n' "$path"; fi
    done
    if getent passwd "$SERVICE_USER" >/dev/null; then printf 'user %s\n' "$SERVICE_USER"; fi
    recorded packages | sed 's/^/package /'
    recorded modules | sed "s/^/Apache's module /"
}

# Leave the machine's Apache as it was found, or without it if it came with the service.
restore_apache() {
    local packages modules ran=no
    mapfile -t packages < <(recorded packages)
    mapfile -t modules < <(recorded modules)
    if apache_is_running; then
        info "Stopping Apache"
        apache_stop
        ran=yes
    fi
    rm -f -- "/etc/apache2/sites-enabled/${SITE_FILE##*/}" "$SITE_FILE" "$HARDENING_FILE" \
        "$ROTATION_FILE"
    if has_systemd; then systemctl daemon-reload; fi
    if [[ " ${packages[*]} " != *" apache2 "* ]] && command -v a2ensite >/dev/null; then
        if [[ -e "$MADE_DIR/default-site" ]]; then a2ensite --quiet 000-default >/dev/null; fi
        if [[ -e "$MADE_DIR/wsgi-disabled" ]]; then a2enmod --quiet wsgi >/dev/null; fi
        if ((${#modules[@]})); then a2dismod --quiet --force "${modules[@]}" >/dev/null; fi
        sed --in-place 's/^# closed by digit-classifier: //' /etc/apache2/ports.conf
        if [[ -e "$MADE_DIR/apache-enabled" ]]; then systemctl disable --quiet apache2; fi
        # Without a record, a deployment of older scripts, others may have sites there.
        if [[ "$ran" == yes && "$(recorded apache-before)" != stopped ]]; then
            info "Starting Apache, which ran before"
            apache_start
        fi
    fi
    if ((${#packages[@]})); then
        info "Removing ${#packages[@]} packages"
        DEBIAN_FRONTEND=noninteractive apt-get purge --yes --quiet=2 "${packages[@]}" \
            | sed 's/^/      /'
    fi
}

clean_system() {
    local ask="$1" listed folder
    ((EUID == 0)) || die "What root has made, root removes: run it with sudo."
    listed="$(list_system)"
    if [[ -z "$listed" ]]; then
        info "There is nothing to remove."
        return
    fi
    if [[ "$ask" == yes ]]; then
        printf '%s\n' "$listed"
        confirm "Remove all of this?" || die "Nothing was removed."
    fi
    restore_apache
    info "Removing the service's files and its user"
    # By name, and the folders themselves only when nothing of others is in them.
    rm -rf -- "$PREFIX"/{releases,modules,current,previous} "$SETTINGS_FILE" \
        "$CONFIG_DIR/deploy.env" "$APACHE_DIR" "$LOCK_FILE" "$STATE_DIR/releases.log" "$STATE_DIR/trial" \
        "$WORKERS_DIR" "$MADE_DIR" "$STATE_DIR/instance" "$STATE_DIR/logs" "$DATA_DIR" "$MODELS_DIR" \
        "$LOG_DIR"/digit-classifier-*.log* "$REQUESTS_LOG_DIR"/digit-classifier-*.log*
    for folder in "$PREFIX" "$CONFIG_DIR" "$STATE_DIR" "$REQUESTS_LOG_DIR"; do
        if [[ -d "$folder" ]]; then drop_if_empty "$folder"; fi
    done
    if getent passwd "$SERVICE_USER" >/dev/null; then userdel "$SERVICE_USER"; fi
    info "Removed the service from this machine."
}

main() {
    local ask=yes models=no system=no made path
    while (($#)); do
        case "$1" in
            --yes) ask=no ;;
            --models) models=yes ;;
            --system) system=yes ;;
            --help) usage && return ;;
            "") ;;
            *) usage_error "unknown option $1" ;;
        esac
        shift
    done
    if [[ "$system" == yes && "$DEPLOYMENT" == local ]]; then
        exec env DEPLOYMENT=system bash "${BASH_SOURCE[0]}" --system \
            "$([[ "$ask" == yes ]] || echo --yes)"
    elif [[ "$system" == yes ]]; then
        clean_system "$ask"
        return
    fi
    mapfile -d '' -t made < <(
        list_made_here
        if [[ "$models" == yes ]]; then list_models; fi
    )
    if ((${#made[@]} == 0)); then
        info "There is nothing to remove."
        return
    fi
    if [[ "$ask" == yes ]]; then
        printf '%s\n' "${made[@]}"
        confirm "Remove all of this?" || die "Nothing was removed."
    fi
    for path in "${made[@]}"; do remove "$path"; done
}

main "$@"
