# The variables that an operator may set: their kinds, defaults and meanings, and the file in which a
# machine's deployment keeps those that were given.
# shellcheck shell=bash

# NAME | kind | default in a clone | default of build_all_EC2.sh | meaning. "-" stands where a variable
# has no use; $CLONE is the folder of the clone, $HOST_NAME the host's name, $CORES their number.
variables_table() {
    cat <<'END_OF_TABLE'
HOST | text | 127.0.0.1 | - | address that the service listens on
PORT | port | 5000 | - | port that the service listens on
SERVER_NAME | text | $HOST_NAME | $HOST_NAME | the name that clients use; with TLS, HTTP redirects to it
HTTP_PORT | port | $PORT | 80 | port for HTTP
HTTPS_PORT | port | 8443 | 443 | port for HTTPS, with `TLS_CERT`
TLS_CERT | path | | | file of the certificate and its chain; turns TLS on
TLS_KEY | path | | | file of its key
PROCESSES | count | $CORES | $CORES | processes of the service
TRUSTED_PROXIES | text | | | addresses or networks, separated by spaces, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed
STATUS_NETWORKS | text | | | addresses or networks that may see `/status` and `/metrics` besides this machine
BODIES_DIR | path | /dev/shm | /dev/shm | a tmpfs for the large bodies that Apache is taking in; its size bounds them
PYTHON | text | /usr/bin/python3 | /usr/bin/python3 | interpreter of the virtual environments
MOD_WSGI | text | apt | apt | `pip` builds mod_wsgi for `PYTHON`, for an interpreter that is not the distribution's
KEEP_RELEASES | count | - | 3 | releases that are kept
PREFIX | path | - | /opt/digit-classifier | folder of the releases
CONFIG_DIR | path | - | /etc/digit-classifier | folder of the settings, and of these variables
STATE_DIR | path | - | /var/lib/digit-classifier | folder of models, data and the service's counts
SERVICE_USER | text | - | digit-classifier | user that runs the service
INSTANCE_DIR | path | $CLONE/instance | - | folder of `settings.toml`, and of an Apache of one's own
RUN_DIR | path | $INSTANCE_DIR/apache-$PORT/run | - | folder of that Apache's sockets
LOG_DIR | path | $INSTANCE_DIR/apache-$PORT/logs | - | folder of its logs
PYVENV | path | $CLONE/.venv | - | environment that serves and trains
TEST_PYVENV | path | $CLONE/.venv-test | - | environment of the checks
DIGIT_CLASSIFIER_CONFIG | path | $INSTANCE_DIR/settings.toml | - | file of the settings
DIGIT_CLASSIFIER_DATA_DIR | path | $CLONE/data | - | folder of the MNIST files
DIGIT_CLASSIFIER_MODELS_DIR | path | $CLONE/models | - | folder of the models trained here
APACHE | path | /usr/sbin/apache2 | /usr/sbin/apache2 | Apache's program
APACHE_MODULES_DIR | path | /usr/lib/apache2/modules | /usr/lib/apache2/modules | folder of its modules
BALANCER_CONFIG | path | /etc/haproxy/haproxy.cfg | - | HAProxy's configuration, by `build_balancer.sh`
BALANCER_BIND | text | *:80 | - | what HAProxy binds
BALANCER_SOCKET | path | /run/haproxy/admin.sock | - | the socket by which root controls HAProxy
END_OF_TABLE
}

# Call a function with the name, kind, default and meaning of each variable of this DEPLOYMENT.
for_each_variable() {
    local name kind here there meaning default
    while IFS='|' read -r name kind here there meaning; do
        default="$here"
        [[ "$DEPLOYMENT" != system ]] || default="$there"
        default="${default# }"
        default="${default% }"
        [[ "$default" == - ]] || "$1" "${name% }" "${kind// /}" "$default" "${meaning# }"
    done < <(variables_table)
}

# What deploy.env has, and what the next one is to have, by name.
declare -A STORED=() TO_STORE=()
UNKNOWN_LINES=()

# Set every variable: as the environment gives it, or else as it was stored, or else by default. A
# variable that is given and empty has its default again. `system` alone stores variables.
set_variables() {
    local STORE=""
    if [[ "$DEPLOYMENT" == system ]]; then
        set_variable CONFIG_DIR path /etc/digit-classifier
        STORE="$CONFIG_DIR/deploy.env"
        load_stored "$STORE"
    fi
    for_each_variable set_variable
}

set_variable() {
    local name="$1" kind="$2" value="$3"
    if [[ -n "${!name-}" ]]; then
        value="${!name}"
        [[ "$kind" != path ]] || value="$(absolute_path "$value")"
        TO_STORE["$name"]="$value"
    elif [[ ! -v "$name" && -v STORED["$name"] ]]; then
        value="${STORED[$name]}"
        TO_STORE["$name"]="$value"
    else
        value="$(expanded "$value")"
    fi
    printf -v "$name" '%s' "$value"
}

# Fill in the variables that a default names.
expanded() {
    local value="$1"
    while [[ "$value" =~ ^([^$]*)\$([A-Z_]+)(.*)$ ]]; do
        value="${BASH_REMATCH[1]}${!BASH_REMATCH[2]}${BASH_REMATCH[3]}"
    done
    printf '%s\n' "$value"
}

# Read NAME=VALUE lines, of known names only; the file is never run.
load_stored() {
    local file="$1" line known
    [[ -e "$file" ]] || return 0
    [[ -r "$file" ]] || die "$(id -un) cannot read $file: run it as root, with sudo."
    known=" $(for_each_variable echo | cut --delimiter=' ' --fields=1 | tr '\n' ' ')"
    while IFS= read -r line || [[ -n "$line" ]]; do
        [[ -n "$line" && "$line" != '#'* ]] || continue
        if [[ "$line" =~ ^([A-Z_]+)=(.*)$ && "$known" == *" ${BASH_REMATCH[1]} "* ]]; then
            STORED["${BASH_REMATCH[1]}"]="${BASH_REMATCH[2]}"
        else
            UNKNOWN_LINES+=("$line") # by hand, or by another version
        fi
    done <"$file"
}

# Store what was given now or earlier, after the service has answered with them.
store_variables() {
    local name
    unset 'TO_STORE[CONFIG_DIR]' # it says where the file is
    {
        printf '# Variables of this deployment. build_all_EC2.sh wrote them and reads them.\n'
        for name in "${!TO_STORE[@]}"; do printf '%s=%s\n' "$name" "${TO_STORE[$name]}"; done \
            | LC_ALL=C sort
    } | ensure_file 0640 root:root "$CONFIG_DIR/deploy.env"
}

# End with an error where a variable has no value of its kind.
check_variables() {
    for_each_variable check_variable
    [[ "$MOD_WSGI" == apt || "$MOD_WSGI" == pip ]] || die "MOD_WSGI is apt or pip, not $MOD_WSGI."
    [[ -z "$TLS_CERT$TLS_KEY" || -r "$TLS_CERT" && -r "$TLS_KEY" ]] \
        || die "TLS_CERT and TLS_KEY belong together, and must be readable."
    [[ -z "$TLS_CERT" || "$HTTP_PORT" != "$HTTPS_PORT" ]] \
        || die "HTTP_PORT and HTTPS_PORT are both $HTTP_PORT."
}

check_variable() {
    local name="$1" kind="$2" value="${!1}"
    [[ "$value" != *[[:cntrl:]]* ]] || die "$name holds a control character."
    case "$kind" in
        port)
            [[ "$value" =~ ^[1-9][0-9]{0,4}$ ]] && ((value <= 65535)) && return
            die "$name is a port from 1 to 65535, not $value."
            ;;
        count) [[ "$value" =~ ^[1-9][0-9]{0,3}$ ]] || die "$name is a number from 1 to 9999, not $value." ;;
    esac
}

# List the variables for --help.
describe_variables() {
    printf '\nVariables of the environment, with their defaults:\n\n'
    for_each_variable describe_variable
}

describe_variable() {
    printf '  %-28s %s\n' "$1=$3" "${4//\`/}"
}
