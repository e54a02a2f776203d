# Every path, port and name of the deployment scripts; each can be set from the environment.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the scripts that source this file use what it sets

PROJECT_DIR="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"

# A relative path given by the user is taken from the folder the user stands in.
absolute_path() {
    realpath --canonicalize-missing --no-symlinks -- "$1"
}

# The interpreter that the virtual environments are made of: the distribution's own by default.
PYTHON="${PYTHON:-/usr/bin/python3}"
# The environment that serves and trains, and the one that runs the tests.
PYVENV="$(absolute_path "${PYVENV:-$PROJECT_DIR/.venv}")"
TEST_PYVENV="$(absolute_path "${TEST_PYVENV:-$PROJECT_DIR/.venv-test}")"

# The folder of this installation's own settings, with the secret key.
INSTANCE_DIR="$(absolute_path "${INSTANCE_DIR:-$PROJECT_DIR/instance}")"
SETTINGS_FILE="$(absolute_path "${DIGIT_CLASSIFIER_CONFIG:-$INSTANCE_DIR/settings.toml}")"
# The folders of the MNIST files and of the models trained here.
DATA_DIR="$(absolute_path "${DIGIT_CLASSIFIER_DATA_DIR:-$PROJECT_DIR/data}")"
MODELS_DIR="$(absolute_path "${DIGIT_CLASSIFIER_MODELS_DIR:-$PROJECT_DIR/models}")"

# Where the service listens.
HOST="${DIGIT_CLASSIFIER_HOST:-${HOST:-127.0.0.1}}"
PORT="${DIGIT_CLASSIFIER_PORT:-${PORT:-5000}}"

# The same for the program itself, which reads only variables of this prefix.
export DIGIT_CLASSIFIER_CONFIG="$SETTINGS_FILE"
export DIGIT_CLASSIFIER_DATA_DIR="$DATA_DIR"
export DIGIT_CLASSIFIER_MODELS_DIR="$MODELS_DIR"
export DIGIT_CLASSIFIER_HOST="$HOST"
export DIGIT_CLASSIFIER_PORT="$PORT"
