# Every path, port and name of the deployment scripts; variables.sh lists those that can be set.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153  # the scripts that source this file use what it sets, by name

CLONE="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
PROJECT_DIR="$CLONE"
SCRIPTS="$PROJECT_DIR/deployment_scripts"

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/variables.sh"

# A relative path given by the user is taken from the folder the user stands in.
absolute_path() {
    realpath --canonicalize-missing --no-symlinks -- "$1"
}

# "local": this clone, for its user alone. "system": this machine's Apache, by build_all_EC2.sh.
DEPLOYMENT="${DEPLOYMENT:-local}"
HOST_NAME="$(hostname)"
# (nproc would count by the threads that a program may have, where that is set)
CORES="$(env --unset=OMP_NUM_THREADS --unset=OMP_THREAD_LIMIT nproc)"

if [[ "$DEPLOYMENT" == system ]]; then
    set_variables
    PYVENV="$PREFIX/current/venv"
    INSTANCE_DIR="$CONFIG_DIR"
    DATA_DIR="$STATE_DIR/data"
    MODELS_DIR="$STATE_DIR/models"
    ROOT_FOLDERS=("$PREFIX" "$PREFIX/releases" "$CONFIG_DIR" "$STATE_DIR" "$DATA_DIR" "$MODELS_DIR")
    SETTINGS_FILE="$CONFIG_DIR/settings.toml"
    HOST="0.0.0.0"
    PORT="$HTTP_PORT"
else
    HOST="${DIGIT_CLASSIFIER_HOST:-${HOST-}}"
    PORT="${DIGIT_CLASSIFIER_PORT:-${PORT-}}"
    set_variables
    DATA_DIR="$DIGIT_CLASSIFIER_DATA_DIR"
    MODELS_DIR="$DIGIT_CLASSIFIER_MODELS_DIR"
    SETTINGS_FILE="$DIGIT_CLASSIFIER_CONFIG"
fi

# The same for the program itself, which reads only variables of this prefix.
export DIGIT_CLASSIFIER_CONFIG="$SETTINGS_FILE"
export DIGIT_CLASSIFIER_DATA_DIR="$DATA_DIR"
export DIGIT_CLASSIFIER_MODELS_DIR="$MODELS_DIR"
export DIGIT_CLASSIFIER_HOST="$HOST"
export DIGIT_CLASSIFIER_PORT="$PORT"

# The folders of Apache's configuration that is made here, of the sockets and numbers of running
# processes, of logs, and of what a release consists of.
if [[ "$DEPLOYMENT" == system ]]; then
    APACHE_DIR="$CONFIG_DIR/apache"
    RUN_DIR="/run/apache2"
    LOG_DIR="/var/log/apache2"
    RELEASE_DIR="$PREFIX/current"
    HOME_DIR="$STATE_DIR"
    WORKERS_DIR="$STATE_DIR/workers"
    SITE_FILE="/etc/apache2/sites-available/digit-classifier.conf"
    PID_FILE="$RUN_DIR/apache2.pid"
    HARDENING_FILE="/etc/systemd/system/apache2.service.d/digit-classifier.conf"
    LOCK_FILE="/run/lock/digit-classifier.lock"
    # The service's own log, which it writes itself, and how that is rotated.
    REQUESTS_LOG_DIR="/var/log/digit-classifier"
    ROTATION_FILE="/etc/logrotate.d/digit-classifier"
    # Files that decide how Apache serves.
    CONFIGURATION=("$SITE_FILE" "$APACHE_DIR" "$ROTATION_FILE" /etc/apache2/ports.conf
        /etc/apache2/mods-enabled /etc/apache2/sites-enabled)
    # What was not there before is written down here, for cleanup.sh.
    MADE_DIR="$STATE_DIR/made"
else
    APACHE_DIR="$INSTANCE_DIR/apache-$PORT"
    RELEASE_DIR="$APACHE_DIR/release"
    HOME_DIR="$PROJECT_DIR"
    WORKERS_DIR="$RUN_DIR/workers"
    SITE_FILE="$APACHE_DIR/site.conf"
    PID_FILE="$RUN_DIR/httpd.pid"
    export DIGIT_CLASSIFIER_WORKERS_DIR="$WORKERS_DIR"
    export DIGIT_CLASSIFIER_LOGS_DIR="$LOG_DIR"
fi
