#!/usr/bin/env bash
# Build the service in this clone and serve it on this machine.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/config_profile.sh"

usage() {
    cat <<'END'
Usage: build_all_local.sh [--no-serve] [--retrain]

Makes the virtual environment, the settings with a fresh secret key, and a trained model, each
unless it is there, and serves on http://127.0.0.1:5000/ until Ctrl-C.

  --no-serve   build only
  --retrain    train a model on MNIST instead of using the one that is there
  --help       show this text

The environment sets paths and ports, for example PORT=8000; config_profile.sh lists them all.
END
}

ensure_settings() {
    if [[ -e "$SETTINGS_FILE" ]]; then
        [[ -r "$SETTINGS_FILE" ]] || die "$(id -un) cannot read $SETTINGS_FILE."
        info "$SETTINGS_FILE is there already."
        return
    fi
    local folder key
    folder="$(dirname -- "$SETTINGS_FILE")"
    [[ -d "$folder" ]] || install -d -m 0700 -- "$folder"
    key="$("$PYVENV/bin/python" -I -c 'import secrets; print(secrets.token_urlsafe(32))')"
    # Renamed into place when complete, so that an interrupted build leaves no half of a file.
    (umask 077 && write_settings "$key" >"$SETTINGS_FILE.part")
    mv -- "$SETTINGS_FILE.part" "$SETTINGS_FILE"
    info "$SETTINGS_FILE generated, with a fresh secret key."
}

write_settings() {
    cat <<END
$SETTINGS_MARK
# It is never overwritten. The folders, the host and the port come from config_profile.sh.
[digit_classifier]
secret_key = "$1"
END
}

ensure_model() {
    local retrain="$1" models=""
    if [[ "$retrain" == no ]]; then
        # Verifies every model, the shipped one and those trained here; a damaged one ends the build.
        models="$("$PYVENV/bin/digit-classifier" models list)"
    fi
    if [[ -n "$models" ]]; then
        info "${models//$'\n'/$'\n      '}"
    else
        bash "$PROJECT_DIR/deployment_scripts/train_model.sh"
    fi
}

main() {
    local serve=yes retrain=no
    while (($#)); do
        case "$1" in
            --no-serve) serve=no ;;
            --retrain) retrain=yes ;;
            --help) usage && return ;;
            *) usage_error "unknown option $1" ;;
        esac
        shift
    done
    STEPS=3
    [[ "$serve" == no ]] || STEPS=4

    step "Virtual environment"
    bash "$PROJECT_DIR/deployment_scripts/install_pyvenv.sh"
    step "Settings"
    ensure_settings
    step "Trained model"
    ensure_model "$retrain"
    if [[ "$serve" == no ]]; then
        printf '\nBuilt. To serve: bash %q\n' "$PROJECT_DIR/deployment_scripts/build_all_local.sh"
        return
    fi
    step "Serving on http://$HOST:$PORT/ (Ctrl-C ends it)"
    # The process becomes the server, so that a signal sent to it ends the server itself.
    exec "$PYVENV/bin/digit-classifier" serve --host "$HOST" --port "$PORT"
}

main "$@"
