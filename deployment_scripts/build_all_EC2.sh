#!/usr/bin/env bash
# Turn a bare Debian or Ubuntu machine into the running service, or bring one up to date.
set -euo pipefail

export DEPLOYMENT=system
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/config_profile.sh"
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/desired_state.sh"
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/settings.sh"
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/releases.sh"
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/apache_control.sh"

SCRIPTS="$PROJECT_DIR/deployment_scripts"
CURRENT_STEP="the beginning"

usage() {
    cat <<'END'
Usage: build_all_EC2.sh [--rollback]

As root, it installs what is missing, makes a release of this clone below PREFIX and lets Apache serve
it. What is so already stays as it is: a second run changes nothing and restarts nothing, and what was
changed by others is put right and named. If a step fails, the release before goes on serving.

  --rollback   let the release before serve again
  --help       show this text

The environment sets names, ports, certificates and proxies, for example SERVER_NAME=digits.example;
config_profile.sh lists them all.
END
}

begin_step() {
    CURRENT_STEP="$*"
    step "$@"
}

tell_where_it_stopped() {
    local status=$?
    ((status == 0)) || printf 'Stopped at: %s. %s\n' "$CURRENT_STEP" "$(what_serves)" >&2
    rm -f -- "$CHANGES_FILE" "$CHANGES_FILE.release"
}

what_serves() {
    local release
    release="$(release_that current)"
    if [[ -n "$release" ]] && apache_is_running; then
        printf 'Release %s goes on serving.\n' "${release##*/}"
    else
        printf 'Nothing serves yet.\n'
    fi
}

check_machine() {
    ((EUID == 0)) || die "It installs packages and a site: run it as root, with sudo."
    command -v apt-get >/dev/null || die "It needs Debian or Ubuntu, with apt-get."
}

take_lock() {
    exec 9>"$LOCK_FILE" # which apache_start closes: Apache would hold the lock
    flock --nonblock 9 || die "Another run is at work; it holds $LOCK_FILE."
}

install_packages() {
    local packages=(apache2 curl libapache2-mod-security2 procps python3 python3-venv)
    if [[ "$MOD_WSGI" == pip ]]; then packages+=(apache2-dev); else packages+=(libapache2-mod-wsgi-py3); fi
    ensure_packages "${packages[@]}"
}

make_user_and_folders() {
    local folder
    ensure_user "$SERVICE_USER" "$STATE_DIR"
    for folder in "${ROOT_FOLDERS[@]}"; do
        ensure_directory 0755 root:root "$folder"
    done
    ensure_directory 0755 "$SERVICE_USER:$SERVICE_USER" "$WORKERS_DIR"
    make_requests_log
    # The service works in STATE_DIR and finds its settings there, as in a clone, and where to log.
    ensure_link "$CONFIG_DIR" "$STATE_DIR/instance"
    ensure_link "$REQUESTS_LOG_DIR" "$STATE_DIR/logs"
}

# The service writes it itself; the group that reads the machine's other logs reads it, too.
make_requests_log() {
    local log="$REQUESTS_LOG_DIR/digit-classifier-requests.log"
    ensure_directory 0750 "$SERVICE_USER:adm" "$REQUESTS_LOG_DIR"
    [[ -e "$log" ]] || : >"$log"
    ensure_attributes 0640 "$SERVICE_USER:adm" "$log"
}

# A digest of what Apache takes only when it is started: modules, and the sizes of its pool.
start_digest() {
    {
        printf '%s\n' "$MOD_WSGI"
        grep --extended-regexp '^(LoadModule|ServerLimit|Thread[A-Za-z]+) ' "$SITE_FILE"
    } | sha256sum
}

# A digest of all else that it reads, which it can also read anew.
configuration_digest() {
    {
        cat -- "$SITE_FILE" "$APACHE_DIR/limits.conf" "$APACHE_DIR/headers.conf"
        find /etc/apache2/mods-enabled /etc/apache2/sites-enabled -mindepth 1 -printf '%f\n' | sort
    } | sha256sum
}

# A digest of all that a process of the service reads when it starts.
service_digest() {
    { printf '%s\n' "$1" && cat -- "$SETTINGS_FILE" && models_digest; } | sha256sum
}

models_digest() {
    find "$MODELS_DIR" -type f -printf '%p %s %T@\n' | sort
}

is_recorded() {
    [[ -f "$MADE_DIR/serving-$1" && "$(<"$MADE_DIR/serving-$1")" == "$2" ]]
}

record() {
    is_recorded "$1" "$2" || printf '%s\n' "$2" >"$MADE_DIR/serving-$1"
}

# What is found otherwise than it was left may be what Apache runs with, though it is put right now.
forget_what_differs() {
    [[ -e "$SITE_FILE" && -e "$APACHE_DIR/limits.conf" ]] || return 0
    is_recorded start "$(start_digest)" || rm -f -- "$MADE_DIR/serving-start"
    is_recorded configuration "$(configuration_digest)" || rm -f -- "$MADE_DIR/serving-configuration"
}

# Start Apache, let it read its configuration anew, or replace the service's processes: the least
# that is needed for what was changed since it last began.
go_live() {
    local release="$1" start configuration service
    start="$(start_digest)"
    configuration="$(configuration_digest)"
    service="$(service_digest "$release")"
    switch_to "$release"
    if ! apache_is_running; then
        apache_start
        changed "Apache started"
    elif ! is_recorded start "$start"; then
        apache_stop
        apache_start
        changed "Apache started anew"
    elif ! is_recorded configuration "$configuration"; then
        apache_graceful
        changed "Apache has read its configuration anew"
    elif ! is_recorded service "$service"; then
        bash "$SCRIPTS/reload.sh" || return 1
        changed "the service's processes replaced"
    fi
    wait_for workers_are_ready "$PROCESSES" || return 1
    record start "$start"
    record configuration "$configuration"
    record service "$service"
}

smoke_test() {
    if [[ -n "$TLS_CERT" ]]; then
        SMOKE_CURL_OPTIONS="--insecure --resolve $SERVER_NAME:$HTTPS_PORT:127.0.0.1" \
            bash "$SCRIPTS/smoke_test.sh" "https://$SERVER_NAME:$HTTPS_PORT/"
    else
        bash "$SCRIPTS/smoke_test.sh" "http://127.0.0.1:$HTTP_PORT/"
    fi
}

# Serve a release, and go back to the one before if it does not do what it should.
serve_or_go_back() {
    local release="$1" before
    before="$(release_that current)"
    if go_live "$release" && smoke_test; then return; fi
    if [[ -n "$before" && "$before" != "$release" ]]; then
        ensure_link "$before" "$PREFIX/current"
        bash "$SCRIPTS/reload.sh" || apache_graceful
        die "Release ${release##*/} does not serve as it should; ${before##*/} serves again."
    fi
    die "The service does not answer as it should; see $LOG_DIR/digit-classifier-error.log."
}

summarize() {
    local release
    release="$(release_that current)"
    printf '\n'
    if [[ -s "$CHANGES_FILE" ]]; then
        printf 'Changes: %d. ' "$(wc -l <"$CHANGES_FILE")"
    else
        printf 'No change. '
    fi
    printf 'Release %s serves on %s, by %d processes.\n' "${release##*/}" \
        "$(address)" "$PROCESSES"
    printf 'Settings: %s. Logs: %s and %s.\n' "$SETTINGS_FILE" \
        "$REQUESTS_LOG_DIR" "$LOG_DIR/digit-classifier-*.log"
}

address() {
    if [[ -n "$TLS_CERT" ]]; then
        printf 'https://%s:%s/\n' "$SERVER_NAME" "$HTTPS_PORT"
    else
        printf 'http://%s:%s/\n' "$SERVER_NAME" "$HTTP_PORT"
    fi
}

roll_back() {
    local previous
    previous="$(release_that previous)"
    [[ -n "$previous" ]] || die "There is no release before this one."
    STEPS=2
    begin_step "Trial of release ${previous##*/}"
    try_release "$previous" || die "It cannot be run; nothing was changed."
    begin_step "Going back"
    serve_or_go_back "$previous"
    summarize
}

build() {
    STEPS=9
    begin_step "Packages"
    install_packages
    begin_step "User and folders"
    make_user_and_folders
    begin_step "Release"
    bash "$SCRIPTS/install_release.sh" "$CHANGES_FILE.release"
    NEW_RELEASE="$(<"$CHANGES_FILE.release")"
    export NEW_RELEASE
    info "${NEW_RELEASE##*/}"
    begin_step "Settings"
    ensure_settings 0640 "root:$SERVICE_USER" "read_only = true"
    begin_step "Permissions"
    ensure_directory 0755 root:root "$APACHE_DIR"
    bash "$SCRIPTS/set_permissions.sh"
    begin_step "Trial of the release"
    try_release "$NEW_RELEASE" || die "The release cannot be run."
    begin_step "Apache's configuration"
    forget_what_differs
    bash "$SCRIPTS/build_apache.sh"
    begin_step "Going live"
    serve_or_go_back "$NEW_RELEASE"
    begin_step "Old releases"
    prune_releases
    summarize
}

main() {
    local rollback=no
    case "${1-}" in
        "") ;;
        --rollback) rollback=yes ;;
        --help) usage && return ;;
        *) usage_error "unknown option $1" ;;
    esac
    check_machine
    take_lock
    CHANGES_FILE="$(mktemp)"
    export CHANGES_FILE
    trap tell_where_it_stopped EXIT
    if [[ "$rollback" == yes ]]; then roll_back; else build; fi
}

main "$@"
