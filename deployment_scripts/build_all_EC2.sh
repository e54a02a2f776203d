#!/usr/bin/env bash
# Turn a bare Debian or Ubuntu machine into the running service, or bring one up to date.
set -euo pipefail

export DEPLOYMENT=system
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

CURRENT_STEP="the beginning"
# MiB that a deployment writes at most, but for the release.
readonly MOST_MIB=16

usage() {
    cat <<'END'
Usage: build_all_EC2.sh [--yes]
       build_all_EC2.sh --rollback [RELEASE] [--yes]
       build_all_EC2.sh --releases

As root, it installs what is missing, makes a release of this clone below PREFIX and lets Apache serve
it. It changes only what differs, and prints each change: a second run changes nothing and restarts
nothing. A release is first tried in an Apache of its own. If a step
fails, the release before goes on serving.

  --rollback   let the last good release serve again, or the one that is named
  --releases   list the releases: when each was made, of which commit, and what became of it
  --yes        do not ask before TLS is removed, or a port or the server's name is changed
  --help       show this text

Variables that the environment gives are stored in CONFIG_DIR/deploy.env once the service has been seen
to serve with them, and hold for later runs. One that is given but empty has its default again.
END
    describe_variables
}

begin_step() {
    CURRENT_STEP="$*"
    step "$@"
}

on_exit() {
    local status=$? before="${GOING_BACK_TO-}"
    trap - EXIT
    if [[ -n "$before" ]]; then
        if go_back; then printf 'Interrupted: %s serves again.\n' "${before##*/}" >&2; fi
    elif [[ -n "${KEPT-}" ]]; then
        restore_configuration || true
        forget_kept_configuration
    fi
    ((status == 0)) || printf 'Stopped at: %s. %s\n' "$CURRENT_STEP" "$(what_serves)" >&2
    rm -rf -- "$SCRATCH"
    exit "$status"
}

what_serves() {
    local pids
    mapfile -t pids < <(apache_is_running && worker_pids)
    if ((${#pids[@]})); then
        printf 'Release %s goes on serving.\n' "$(releases_of "${pids[@]}" | paste --serial --delimiters=,)"
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
    record_apache_before
    ensure_packages "${packages[@]}"
}

# Whether Apache ran before the first deployment, for build_apache.sh and cleanup.sh.
record_apache_before() {
    [[ ! -e "$MADE_DIR" && ! -e "$SITE_FILE" ]] || return 0
    mkdir -p -- "$MADE_DIR"
    if apache_is_running; then echo running; else echo stopped; fi >"$MADE_DIR/apache-before"
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
    # As that user, since the folder is the service's: root would follow a link that lies there.
    # shellcheck disable=SC2016  # for the other shell
    [[ -e "$log" ]] || runuser --user "$SERVICE_USER" -- sh -c 'umask 077; : >"$1"' sh "$log"
    ensure_attributes 0640 "$SERVICE_USER:adm" "$log"
}

# By the release's own scripts: what another version's make of its templates may not fit it.
configure_apache() {
    forget_what_differs
    keep_configuration
    NEW_RELEASE="$1" bash "$1/source/deployment_scripts/build_apache.sh"
    ensure_apache_at_boot
}

ensure_apache_at_boot() {
    has_systemd && ! systemctl is-enabled --quiet apache2 || return 0
    systemctl enable --quiet apache2
    touch -- "$MADE_DIR/apache-enabled"
    changed "Apache starts with the machine"
}

try_release() {
    local release="$1"
    if serves_already "$release"; then
        info "${release##*/} serves already."
    elif ! bash "$SCRIPTS/trial.sh" "$release"; then
        refuse "$release" "its trial failed"
        prune_releases
        die "Release ${release##*/} is refused; nothing was changed in what serves."
    fi
}

summarize() {
    printf '\n'
    if [[ -s "$CHANGES_FILE" ]]; then
        printf 'Changes: %d. ' "$(wc -l <"$CHANGES_FILE")"
    else
        printf 'No change. '
    fi
    printf 'Release %s serves on %s, by %d processes.\n' "$(basename -- "$(current_release)")" \
        "$(address)" "$PROCESSES"
    printf 'Settings: %s. Logs: %s and %s.\n' "$SETTINGS_FILE" \
        "$REQUESTS_LOG_DIR" "$LOG_DIR/digit-classifier-*.log"
}

address() {
    if [[ -n "$TLS_CERT" ]]; then
        printf 'https://%s:%s/\n' "$(bracketed "$SERVER_NAME")" "$HTTPS_PORT"
    else
        printf 'http://%s:%s/\n' "$(bracketed "$SERVER_NAME")" "$HTTP_PORT"
    fi
}

roll_back() {
    local release="$PREFIX/releases/$1"
    if [[ -z "$1" ]]; then
        release="$(previous_release)"
        [[ -n "$release" ]] || die "There is no good release but the one that serves."
    fi
    [[ "$1" != */* && -d "$release" ]] || die "There is no release $1; --releases lists them."
    release_is_whole "$release" || die "Release ${release##*/} was altered or never completed."
    STEPS=3
    begin_step "Trial of release ${release##*/}"
    try_release "$release"
    begin_step "Apache's configuration"
    configure_apache "$release"
    begin_step "Going back"
    serve_or_go_back "$release"
    summarize
}

build() {
    STEPS=9
    begin_step "Packages"
    install_packages
    begin_step "User and folders"
    make_user_and_folders
    begin_step "Release"
    bash "$SCRIPTS/install_release.sh" "$SCRATCH/release"
    NEW_RELEASE="$(<"$SCRATCH/release")"
    export NEW_RELEASE
    info "${NEW_RELEASE##*/}"
    begin_step "Settings"
    ensure_settings 0640 "root:$SERVICE_USER" "read_only = true"
    begin_step "Permissions"
    ensure_directory 0755 root:root "$APACHE_DIR"
    bash "$SCRIPTS/set_permissions.sh"
    begin_step "Trial of the release"
    try_release "$NEW_RELEASE"
    begin_step "Apache's configuration"
    configure_apache "$NEW_RELEASE"
    begin_step "Going live"
    serve_or_go_back "$NEW_RELEASE"
    begin_step "Old releases"
    prune_releases
    summarize
}

main() {
    local task=build release=""
    YES=no
    while (($#)); do
        case "$1" in
            "") ;;
            --rollback)
                task=roll_back
                [[ "${2--}" == -* ]] || { release="$2" && shift; }
                ;;
            --releases) task=list_releases ;;
            --yes) YES=yes ;;
            --help) usage && return ;;
            *) usage_error "unknown option $1" ;;
        esac
        shift
    done
    if [[ "$task" == list_releases ]]; then
        list_releases
        return
    fi
    check_machine
    check_stored
    check_variables
    take_lock
    confirm_site_changes
    SCRATCH="$(mktemp --directory)"
    export CHANGES_FILE="$SCRATCH/changes"
    : >"$CHANGES_FILE"
    trap on_exit EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    require_space "$MOST_MIB" "$STATE_DIR" "$CONFIG_DIR" "${TMPDIR:-/tmp}"
    "$task" "$release"
}

main "$@"
