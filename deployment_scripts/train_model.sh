#!/usr/bin/env bash
# Train a model on MNIST, with the virtual environment and the data made ready first.
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

usage() {
    cat <<'END'
Usage: train_model.sh [ARGUMENTS OF digit-classifier train]

Fetches MNIST into DIGIT_CLASSIFIER_DATA_DIR unless it is there, and trains into
DIGIT_CLASSIFIER_MODELS_DIR; without arguments the default network, "mlp".
'.venv/bin/digit-classifier train --help' lists the arguments.
END
}

main() {
    if [[ "${1-}" == --help ]]; then
        usage
        return
    fi
    bash "$PROJECT_DIR/deployment_scripts/install_pyvenv.sh" --train
    # Training needs no settings file: where none was made yet, none is to be missed.
    [[ -e "$SETTINGS_FILE" ]] || unset DIGIT_CLASSIFIER_CONFIG
    "$PYVENV/bin/digit-classifier" data fetch
    # The process becomes the training, so that Ctrl-C reaches it alone and it keeps a checkpoint.
    exec "$PYVENV/bin/digit-classifier" train "$@"
}

main "$@"
