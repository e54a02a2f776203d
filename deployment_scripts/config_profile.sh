# Every path, port and name of the deployment scripts; each can be set from the environment.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the scripts that source this file use what it sets

PROJECT_DIR="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"

# A relative path given by the user is taken from the folder the user stands in.
absolute_path() {
    realpath --canonicalize-missing --no-symlinks -- "$1"
}

# "local": this clone, for its user alone. "system": this machine's Apache, by build_all_EC2.sh.
DEPLOYMENT="${DEPLOYMENT:-local}"

# The interpreter that the virtual environments are made of: the distribution's own by default.
PYTHON="${PYTHON:-/usr/bin/python3}"
# Which mod_wsgi Apache loads: the distribution's ("apt"), which runs the distribution's Python, or
# one that is built for PYTHON from the package index ("pip").
MOD_WSGI="${MOD_WSGI:-apt}"

# Where a system's Apache finds the service: the releases and the link to the one that serves; its
# settings and secret; what it works in. SERVICE_USER runs it and owns nothing else.
PREFIX="$(absolute_path "${PREFIX:-/opt/digit-classifier}")"
CONFIG_DIR="$(absolute_path "${CONFIG_DIR:-/etc/digit-classifier}")"
STATE_DIR="$(absolute_path "${STATE_DIR:-/var/lib/digit-classifier}")"
SERVICE_USER="${SERVICE_USER:-digit-classifier}"
KEEP_RELEASES="${KEEP_RELEASES:-3}"

if [[ "$DEPLOYMENT" == system ]]; then
    PYVENV="$PREFIX/current/venv"
    INSTANCE_DIR="$CONFIG_DIR"
    DATA_DIR="$STATE_DIR/data"
    MODELS_DIR="$STATE_DIR/models"
    ROOT_FOLDERS=("$PREFIX" "$PREFIX/releases" "$CONFIG_DIR" "$STATE_DIR" "$DATA_DIR" "$MODELS_DIR")
    SETTINGS_FILE="$CONFIG_DIR/settings.toml"
    HOST="${HOST:-0.0.0.0}"
    PORT="${HTTP_PORT:-80}"
else
    # The environment that serves and trains.
    PYVENV="$(absolute_path "${PYVENV:-$PROJECT_DIR/.venv}")"
    # The folder of this installation's own settings, with the secret key.
    INSTANCE_DIR="$(absolute_path "${INSTANCE_DIR:-$PROJECT_DIR/instance}")"
    # The folders of the MNIST files and of the models trained here.
    DATA_DIR="$(absolute_path "${DIGIT_CLASSIFIER_DATA_DIR:-$PROJECT_DIR/data}")"
    MODELS_DIR="$(absolute_path "${DIGIT_CLASSIFIER_MODELS_DIR:-$PROJECT_DIR/models}")"
    SETTINGS_FILE="$(absolute_path "${DIGIT_CLASSIFIER_CONFIG:-$INSTANCE_DIR/settings.toml}")"
    # Where the service listens.
    HOST="${DIGIT_CLASSIFIER_HOST:-${HOST:-127.0.0.1}}"
    PORT="${DIGIT_CLASSIFIER_PORT:-${PORT:-5000}}"
fi
# The environment that runs the tests.
TEST_PYVENV="$(absolute_path "${TEST_PYVENV:-$PROJECT_DIR/.venv-test}")"

# The same for the program itself, which reads only variables of this prefix.
export DIGIT_CLASSIFIER_CONFIG="$SETTINGS_FILE"
export DIGIT_CLASSIFIER_DATA_DIR="$DATA_DIR"
export DIGIT_CLASSIFIER_MODELS_DIR="$MODELS_DIR"
export DIGIT_CLASSIFIER_HOST="$HOST"
export DIGIT_CLASSIFIER_PORT="$PORT"

# Apache: its name, its ports (the second where there is a certificate), the processes of the service,
# the proxies whose word on the client is taken, and the networks that may see /status and /metrics
# besides this machine.
SERVER_NAME="${SERVER_NAME:-$(hostname)}"
HTTP_PORT="${HTTP_PORT:-$PORT}"
HTTPS_PORT="${HTTPS_PORT:-$([[ "$DEPLOYMENT" == system ]] && echo 443 || echo 8443)}"
TLS_CERT="${TLS_CERT:-}"
TLS_KEY="${TLS_KEY:-}"
# (nproc would count by the threads that a program may have, where that is set)
PROCESSES="${PROCESSES:-$(env --unset=OMP_NUM_THREADS --unset=OMP_THREAD_LIMIT nproc)}"
TRUSTED_PROXIES="${TRUSTED_PROXIES:-}"
STATUS_NETWORKS="${STATUS_NETWORKS:-}"
# Where Apache keeps the part of large bodies that is there, until all is: a tmpfs, whose size bounds it.
BODIES_DIR="$(absolute_path "${BODIES_DIR:-/dev/shm}")"

# Apache's modules of the distribution, and the folders of the configuration that is made here, of
# the sockets and numbers of running processes, of logs, and of what a release consists of.
APACHE="${APACHE:-/usr/sbin/apache2}"
APACHE_MODULES_DIR="${APACHE_MODULES_DIR:-/usr/lib/apache2/modules}"
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
    # What was not there before is written down here, for cleanup.sh.
    MADE_DIR="$STATE_DIR/made"
else
    APACHE_DIR="$INSTANCE_DIR/apache-$PORT"
    RUN_DIR="$(absolute_path "${RUN_DIR:-$APACHE_DIR/run}")"
    LOG_DIR="$APACHE_DIR/logs"
    RELEASE_DIR="$APACHE_DIR/release"
    HOME_DIR="$PROJECT_DIR"
    WORKERS_DIR="$RUN_DIR/workers"
    SITE_FILE="$APACHE_DIR/site.conf"
    PID_FILE="$RUN_DIR/httpd.pid"
    export DIGIT_CLASSIFIER_WORKERS_DIR="$WORKERS_DIR"
    export DIGIT_CLASSIFIER_LOGS_DIR="$LOG_DIR"
fi

# HAProxy in front of several instances: its configuration, what it binds (an address and port, and
# whatever else its `bind` takes), and the socket by which root speaks with it.
BALANCER_CONFIG="$(absolute_path "${BALANCER_CONFIG:-/etc/haproxy/haproxy.cfg}")"
BALANCER_BIND="${BALANCER_BIND:-*:80}"
BALANCER_SOCKET="$(absolute_path "${BALANCER_SOCKET:-/run/haproxy/admin.sock}")"
