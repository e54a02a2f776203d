#!/usr/bin/env bash
# Try a release in an Apache of its own, which only this machine can reach, before it serves anybody.
set -euo pipefail

export DEPLOYMENT=system
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

usage() {
    cat <<'END'
Usage: trial.sh RELEASE

As root. Starts a whole Apache with one process of the release, by the release's own scripts, as
SERVICE_USER, on a free port of 127.0.0.1 and with the settings of this machine; runs the release's
smoke test against it, and stops it. Ends with 1 if an answer is not as it should be. What this
machine's Apache serves is not touched.
END
}

# Variables of the trial: those of this machine, but for the key of TLS, which only root can read.
variables() {
    printf '%s\0' DEPLOYMENT=local HOST=127.0.0.1 "PORT=$TRIAL_PORT" PROCESSES=1 \
        "INSTANCE_DIR=$FOLDER" "PYVENV=$RELEASE/venv" "DIGIT_CLASSIFIER_CONFIG=$SETTINGS_FILE" \
        "DIGIT_CLASSIFIER_DATA_DIR=$DATA_DIR" "DIGIT_CLASSIFIER_MODELS_DIR=$MODELS_DIR" \
        "SERVER_NAME=$SERVER_NAME" "TRUSTED_PROXIES=$TRUSTED_PROXIES" "MOD_WSGI=$MOD_WSGI" \
        "STATUS_NETWORKS=$STATUS_NETWORKS" "APACHE=$APACHE" "APACHE_MODULES_DIR=$APACHE_MODULES_DIR" \
        "BODIES_DIR=$BODIES_DIR" \
        "DIGIT_CLASSIFIER_WORKERS_DIR=$TRIAL/run/workers" "DIGIT_CLASSIFIER_LOGS_DIR=$TRIAL/logs"
}

free_port() {
    "$RELEASE/venv/bin/python" -I -c \
        'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'
}

# Beside the Apache that serves there is not always room for as many threads again.
keep_it_small() {
    echo "StartServers 1" | as_service tee --append "$TRIAL/httpd.conf" >/dev/null
}

# Apache ends with this script, however that ends.
start() {
    (cd / && exec setpriv --reuid="$SERVICE_USER" --regid="$SERVICE_USER" --clear-groups \
        --pdeathsig TERM env --ignore-environment "${VARIABLES[@]}" PATH=/usr/bin:/bin LANG=C.UTF-8 \
        "$APACHE" -f "$TRIAL/httpd.conf" -D FOREGROUND) 9>&- >"$OUTPUT" 2>&1 &
    APACHE_PID=$!
    wait_for has_begun && kill -0 "$APACHE_PID" 2>/dev/null
}

# Whether a process of the release is ready, or Apache has ended.
has_begun() {
    [[ -n "$(find "$WORKERS" -maxdepth 1 -name '[0-9]*' -print -quit)" ]] \
        || ! kill -0 "$APACHE_PID" 2>/dev/null
}

finish() {
    if [[ -n "$APACHE_PID" ]]; then
        kill -TERM "$APACHE_PID" 2>/dev/null || true
        wait "$APACHE_PID" || true
    fi
    rm -rf -- "$FOLDER" "$OUTPUT"
}

# Print what Apache and the release reported. The logs are read as the user who wrote them: root would
# follow a link that lies among them.
explain() {
    {
        cat -- "$OUTPUT"
        # shellcheck disable=SC2016  # for the other shell
        as_service sh -c 'cat -- "$1"/logs/*.log' sh "$TRIAL" 2>/dev/null
    } | grep --extended-regexp '"level": ?"error"|:(error|crit|emerg)\]|^AH' | tail -n 5 >&2 || true
}

main() {
    case "${1-}" in
        "") usage_error "a release is to be named" ;;
        --help) usage && return ;;
        -*) usage_error "unknown option $1" ;;
    esac
    RELEASE="$1"
    FOLDER="$STATE_DIR/trial"
    APACHE_PID=""
    OUTPUT="$(mktemp)" # root's, outside of the folder that the service's user writes
    trap finish EXIT
    import_release "$RELEASE" || die "It cannot be imported."
    rm -rf -- "$FOLDER"
    install -d -m 0700 -o "$SERVICE_USER" -g "$SERVICE_USER" -- "$FOLDER"
    TRIAL_PORT="$(free_port)"
    TRIAL="$FOLDER/apache-$TRIAL_PORT"
    WORKERS="$TRIAL/run/workers"
    mapfile -d '' -t VARIABLES < <(variables)
    as_service "${VARIABLES[@]}" bash "$RELEASE/source/deployment_scripts/build_apache.sh" >/dev/null \
        || die "Its Apache cannot be configured."
    keep_it_small
    if ! start; then
        explain
        die "Its process does not start."
    fi
    if ! as_service bash "$RELEASE/source/deployment_scripts/smoke_test.sh" \
        "http://127.0.0.1:$TRIAL_PORT"; then
        explain
        die "It does not answer as it should."
    fi
}

main "$@"
