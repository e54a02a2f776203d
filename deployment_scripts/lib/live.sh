# Switch to a release with the smallest action of Apache, verify it, and switch back on failure.
# shellcheck shell=bash

# A digest of what Apache takes only when it is started: modules, and the sizes of its pool.
start_digest() {
    {
        printf '%s\n' "$MOD_WSGI"
        grep --extended-regexp '^(LoadModule|ServerLimit|Thread[A-Za-z]+) ' "$SITE_FILE"
    } | sha256sum
}

# A digest of all else that it reads, which it can also read again.
configuration_digest() {
    {
        cat -- "$SITE_FILE" "$APACHE_DIR/limits.conf" "$APACHE_DIR/headers.conf" \
            /etc/apache2/ports.conf
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

# A file that differs from its record may still be what Apache has loaded: forget the record.
forget_what_differs() {
    [[ -e "$SITE_FILE" && -e "$APACHE_DIR/limits.conf" ]] || return 0
    is_recorded start "$(start_digest)" || rm -f -- "$MADE_DIR/serving-start"
    is_recorded configuration "$(configuration_digest)" || rm -f -- "$MADE_DIR/serving-configuration"
}

# Whether the release serves already, by processes that began with the settings and models of now.
serves_already() {
    apache_is_running && [[ "$(serving_release)" == "$1" && "$(current_release)" == "$1" ]] \
        && is_recorded service "$(service_digest "$1")" && all_processes_are_of "$1"
}

all_processes_are_of() {
    local pids
    mapfile -t pids < <(worker_pids)
    [[ "$(releases_of "${pids[@]}")" == "${1##*/}" ]] && workers_are_ready "$PROCESSES"
}

# What Apache needs for the files that are there now: nothing, or the least of the others.
needed() {
    if ! apache_is_running; then
        echo start
    elif ! is_recorded start "$(start_digest)"; then
        echo restart
    elif ! is_recorded configuration "$(configuration_digest)"; then
        echo graceful
    elif ! serves_already "$1"; then
        echo reload
    else
        echo nothing
    fi
}

let_apache() {
    case "$1" in
        start)
            apache_start
            changed "Apache started"
            ;;
        restart)
            apache_stop
            apache_start
            changed "Apache started again"
            ;;
        graceful)
            apache_graceful
            changed "Apache has read its configuration again"
            ;;
        reload)
            bash "$SCRIPTS/reload.sh" || return 1
            changed "the service's processes replaced"
            ;;
    esac
}

# In a shell of its own, as a step that ends in an error must not end the way back.
go_live() (
    local release="$1" action="$2"
    ensure_link "$release" "$PREFIX/current"
    let_apache "$action" || exit
    wait_for all_processes_are_of "$release" || die "Apache has no process of ${release##*/}."
    smoke_test "$release"
)

smoke_test() {
    local name="$SERVER_NAME" test="$1/source/deployment_scripts/smoke_test.sh"
    if [[ -n "$TLS_CERT" ]]; then
        SMOKE_CURL_OPTIONS="--insecure --resolve $name:$HTTPS_PORT:127.0.0.1" \
            bash "$test" "https://$name:$HTTPS_PORT/"
    else
        bash "$test" "http://127.0.0.1:$HTTP_PORT/"
    fi
}

# Copy the configuration, for the way back.
keep_configuration() {
    local path kept
    kept="$(mktemp --directory)"
    for path in "${CONFIGURATION[@]}"; do
        [[ -e "$path" ]] || continue
        mkdir -p -- "$kept${path%/*}"
        cp --archive -- "$path" "$kept$path"
    done
    KEPT="$kept" # when it is complete: on_exit restores it
}

forget_kept_configuration() {
    [[ -z "${KEPT-}" ]] || rm -rf -- "$KEPT"
    KEPT=""
}

restore_configuration() {
    local path
    for path in "${CONFIGURATION[@]}"; do
        if [[ -e "$KEPT$path" ]] && ! diff --recursive --no-dereference --brief \
            "$KEPT$path" "$path" >/dev/null; then
            rm -rf -- "$path"
            cp --archive -- "$KEPT$path" "$path"
        fi
    done
}

# The release to go back to. One from before there was a log of releases is logged now: it serves, and is
# not to be pruned like one that never did.
release_before() {
    local current pids
    current="$(current_release)"
    if [[ -n "$current" && ! -e "$STATE_DIR/releases.log" ]]; then
        mapfile -t pids < <(worker_pids)
        [[ "$(releases_of "${pids[@]}")" != "${current##*/}" ]] || log_release serves "$current"
    fi
    good_releases | sed -n 1p | grep . || printf '%s\n' "$current"
}

# Let a release serve; record that only when it has been seen to, and go back otherwise.
serve_or_go_back() {
    local release="$1" before action
    before="$(release_before)"
    action="$(needed "$release")"
    GOING_BACK_TO="$before" ACTION="$action"
    if go_live "$release" "$action"; then
        GOING_BACK_TO=""
        record start "$(start_digest)"
        record configuration "$(configuration_digest)"
        record service "$(service_digest "$release")"
        log_release serves "$release"
        store_variables
        forget_kept_configuration
        return
    fi
    show_errors
    refuse "$release" "it did not serve as it should"
    [[ -n "$before" ]] \
        || die "The service does not answer as it should; see $LOG_DIR/digit-classifier-error.log."
    go_back
    prune_releases
    [[ "$before" != "$release" ]] \
        || die "Release ${release##*/} does not serve as it should; its configuration before is back."
    die "Release ${release##*/} does not serve as it should; ${before##*/} serves again."
}

# What Apache has logged last, but for mod_security's list of its libraries at each start.
show_errors() {
    local log
    for log in "$LOG_DIR/error.log" "$LOG_DIR/digit-classifier-error.log"; do
        printf 'The last lines of %s:\n' "$log"
        grep --invert-match --fixed-strings '[security2:notice]' -- "$log" | tail --lines 12 || true
    done >&2
}

# Put the release before and its configuration back, as Apache had them.
go_back() {
    local before="$GOING_BACK_TO"
    trap '' HUP INT TERM # a second signal would leave Apache stopped
    GOING_BACK_TO=""
    restore_configuration
    forget_kept_configuration
    PROCESSES="$(sed -n 's/^WSGIDaemonProcess digit-classifier .* processes=\([0-9]*\) .*/\1/p' "$SITE_FILE")"
    ensure_link "$before" "$PREFIX/current"
    if ! apache_is_running; then ACTION=start; elif [[ "$ACTION" == start ]]; then ACTION=restart; fi
    let_apache "$ACTION" || let_apache graceful
    wait_for all_processes_are_of "$before" || die "Apache has no process of ${before##*/} either."
}
