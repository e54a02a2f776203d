#!/usr/bin/env bash
# Build the service in this clone and serve it on this machine.
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

# Limit on open files of each Apache process, or less where the system allows less.
readonly MAX_OPEN_FILES=65536

usage() {
    cat <<'END'
Usage: build_all_local.sh [--apache] [--no-serve] [--retrain]

Makes the virtual environment and the settings with a fresh secret key, each unless it is there,
checks the trained models, and serves on http://127.0.0.1:5000/ until Ctrl-C.

  --apache     serve by a whole Apache of your own, without root, instead of Flask's own server
  --no-serve   build only
  --retrain    train a model on MNIST instead of using the shipped one
  --help       show this text

The environment sets paths and ports, for example PORT=8000.
END
    describe_variables
}

ensure_model() {
    local retrain="$1" models
    if [[ "$retrain" == yes ]]; then
        bash "$PROJECT_DIR/deployment_scripts/train_model.sh"
        return
    fi
    # Verifies every model, the shipped ones and those trained here; a damaged one ends the build.
    models="$("$PYVENV/bin/digit-classifier" models list)"
    info "${models//$'\n'/$'\n      '}"
}

main() {
    local serve=yes retrain=no apache=no
    while (($#)); do
        case "$1" in
            --apache) apache=yes ;;
            --no-serve) serve=no ;;
            --retrain) retrain=yes ;;
            --help) usage && return ;;
            *) usage_error "unknown option $1" ;;
        esac
        shift
    done
    check_variables
    STEPS=3
    [[ "$apache" == no ]] || STEPS=$((STEPS + 1))
    [[ "$serve" == no ]] || STEPS=$((STEPS + 1))

    [[ "$apache" == no ]] || ((EUID != 0)) \
        || die "--apache is not for root. To deploy under this machine's Apache, as root:" \
            "bash deployment_scripts/build_all_EC2.sh"
    step "Virtual environment"
    bash "$PROJECT_DIR/deployment_scripts/install_pyvenv.sh"
    step "Settings"
    ensure_settings 0600 ""
    step "Trained model"
    ensure_model "$retrain"
    if [[ "$apache" == yes ]]; then
        step "Apache"
        build_apache
    fi
    if [[ "$serve" == no ]]; then
        local again=(bash "$PROJECT_DIR/deployment_scripts/build_all_local.sh")
        [[ "$apache" == no ]] || again+=(--apache)
        printf '\nBuilt. To serve, with the same variables:'
        printf ' %q' "${again[@]}"
        printf '\n'
        return
    fi
    step "Serving on $(address) (Ctrl-C ends it)"
    # exec: a signal to this process ends the server itself.
    if [[ "$apache" == yes ]]; then
        raise_open_file_limit
        # shellcheck disable=SC2153  # APACHE is the program, from config_profile.sh
        exec "$APACHE" -f "$APACHE_DIR/httpd.conf" -D FOREGROUND
    fi
    exec "$PYVENV/bin/digit-classifier" serve --host "$HOST" --port "$PORT"
}

build_apache() {
    if apache_is_running; then
        die "It serves already, by process $(apache_pid). To replace its processes by new ones:" \
            "PORT=$PORT bash deployment_scripts/reload.sh"
    fi
    # A killed Apache leaves its PID file, which the next one would take for a running Apache.
    rm -f -- "$PID_FILE"
    bash "$PROJECT_DIR/deployment_scripts/build_apache.sh"
    forget_old_workers
}

# An Apache process needs a descriptor for each connection, and for each request in a daemon process.
raise_open_file_limit() {
    local limit
    limit="$(ulimit -H -n)"
    if [[ "$limit" == unlimited ]] || ((limit > MAX_OPEN_FILES)); then limit="$MAX_OPEN_FILES"; fi
    ulimit -S -n "$limit"
}

address() {
    if [[ -n "$TLS_CERT" ]]; then
        printf 'https://%s:%s/\n' "$(bracketed "$SERVER_NAME")" "$HTTPS_PORT"
    else
        printf 'http://%s:%s/\n' "$(bracketed "$HOST")" "$PORT"
    fi
}

main "$@"
