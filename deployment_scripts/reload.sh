#!/usr/bin/env bash
# Replace the service's processes in a running Apache one after the other, without losing a request.
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

usage() {
    cat <<'END'
Usage: reload.sh

Lets new processes serve what is installed now: this clone, where an Apache of its user
(build_all_local.sh --apache) listens on PORT, or else, as root, the release of this machine's
Apache. First the code is imported and tried out in a process of its own; if that fails, nothing is
replaced. Then each process is asked to end when it has answered what it has begun, and the next one
only when the one in its place is ready. When the script ends, all of the old ones have.
END
}

# This machine's Apache, where no Apache of the user's own listens on PORT.
reload_system_instead() {
    [[ "$DEPLOYMENT" == local ]] || die "This machine's Apache does not run."
    ((EUID == 0)) || die "No Apache of $(id -un) listens on port $PORT."
    exec env DEPLOYMENT=system bash "${BASH_SOURCE[0]}"
}

try_out() {
    if [[ "$DEPLOYMENT" == system ]]; then
        import_release "$(current_release)"
    else
        (cd -- "$HOME_DIR" && "$PYVENV/bin/python" -I "$PROJECT_DIR/apache/digit_classifier.wsgi")
    fi
}

main() {
    case "${1-}" in
        "") ;;
        --help) usage && return ;;
        *) usage_error "unknown option $1" ;;
    esac
    apache_is_running || reload_system_instead
    try_out || die "The code cannot be run; nothing was replaced."
    workers_can_report || die "New processes could not report in $WORKERS_DIR that they are ready;" \
        "nothing was replaced."
    local pid pids n=0
    mapfile -t pids < <(worker_pids)
    ((${#pids[@]})) || die "Apache has no process of the service."
    for pid in "${pids[@]}"; do
        replace_worker "$pid" \
            || die "The process in the place of $pid is not ready. $n of ${#pids[@]} were replaced."
        n=$((n + 1))
        info "process $pid replaced, $n of ${#pids[@]}"
    done
    for pid in "${pids[@]}"; do
        wait_for has_ended "$pid" || die "Process $pid does not end."
    done
    replace_large_worker || die "The process for large bodies does not end."
    forget_old_workers
}

main "$@"
