# Apache and the service's processes in it: is it there, start it, which ones, replace one.
# shellcheck shell=bash

# How long a new process may take to be ready, in tenths of a second.
readonly PATIENCE=300

has_systemd() {
    [[ -d /run/systemd/system ]]
}

# The number of Apache's own first process, if it runs.
apache_pid() {
    local pid
    pid="$(cat -- "$PID_FILE" 2>/dev/null)" || return 1
    [[ "$pid" =~ ^[0-9]+$ ]] && kill -0 "$pid" 2>/dev/null || return 1
    # Of an Apache that was killed, the number may belong to another by now, or to a thread of one.
    [[ "$(</proc/"$pid"/comm)" == apache2 ]] || return 1
    grep --quiet "^Tgid:[[:space:]]*$pid\$" "/proc/$pid/status" || return 1
    printf '%s\n' "$pid"
}

apache_is_running() {
    apache_pid >/dev/null
}

apache_start() {
    # Without the descriptor of the caller's lock, which Apache would hold as long as it runs.
    if has_systemd; then systemctl start apache2; else apache2ctl start 9>&-; fi
    wait_for apache_is_running || die "Apache does not start; see $LOG_DIR/error.log."
}

apache_stop() {
    local pid
    pid="$(apache_pid)" || return 0
    # By its signal: apache2ctl would not stop an Apache whose configuration is broken.
    if has_systemd; then systemctl stop apache2; else kill -TERM "$pid"; fi
    wait_for has_ended "$pid" || die "Apache does not stop."
}

# Whether a process has ended; the file with its number goes before it.
has_ended() {
    ! kill -0 "$1" 2>/dev/null
}

# Read the configuration again, and wait until new processes serve by it. Requests that are being
# answered may be lost: not for a new release.
apache_graceful() {
    local old
    old="$(worker_pids)"
    if has_systemd; then systemctl reload apache2; else apache2ctl graceful 9>&-; fi
    # shellcheck disable=SC2086  # numbers, to be split
    wait_for workers_are_ready "$PROCESSES" $old || die "Apache has no new processes."
}

# The numbers of the service's processes, one a line.
worker_pids() {
    pgrep --parent "$(apache_pid)" --full '^\(wsgi:digit-cl' || true # as much as has room there
}

# Whether a new process could report there that it is ready, as the user that it runs as.
workers_can_report() {
    local as_user=()
    [[ "$DEPLOYMENT" == local ]] || as_user=(as_service)
    # shellcheck disable=SC2016  # for the other shell
    "${as_user[@]}" bash -c 'echo . >"$1"; status=$?; rm -f -- "$1"; exit "$status"' \
        reload.sh "$WORKERS_DIR/space"
}

# Whether that many processes have said that they are ready, none of them one of the given.
workers_are_ready() {
    local wanted="$1" pid ready=0
    shift
    for pid in $(worker_pids); do
        [[ " $* " != *" $pid "* && -e "$WORKERS_DIR/$pid" ]] && ready=$((ready + 1))
    done
    ((ready >= wanted))
}

# Ask one process to end when it has answered what it has begun, and wait for the one in its place.
replace_worker() {
    local pid="$1" others
    others="$(worker_pids | grep --invert-match --line-regexp "$pid" || true)"
    kill -TERM "$pid"
    # shellcheck disable=SC2086  # numbers, to be split
    wait_for workers_are_ready 1 "$pid" $others || return 1
    rm -f -- "$WORKERS_DIR/$pid"
}

# Ask the process for large bodies to end when it has answered what it has begun. Apache starts another,
# which loads the application with its first request: what comes before that waits.
replace_large_worker() {
    local pid
    for pid in $(pgrep --parent "$(apache_pid)" --full '^\(large-bodies)'); do
        kill -TERM "$pid" 2>/dev/null || continue # it has just ended
        wait_for has_ended "$pid" || return 1
    done
}

# Remove the files of processes that have ended.
forget_old_workers() {
    local file
    for file in "$WORKERS_DIR"/*; do
        [[ -f "$file" ]] || continue # beside them is the folder of the processes' metrics
        kill -0 "$(basename -- "$file")" 2>/dev/null || rm -f -- "$file"
    done
}

# Wait until a command succeeds, or fail.
wait_for() {
    local tenths
    for ((tenths = 0; tenths < PATIENCE; tenths++)); do
        if "$@"; then return; fi
        sleep 0.1
    done
    return 1
}
