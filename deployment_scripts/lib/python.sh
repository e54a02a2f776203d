# The interpreter, and installing into the environments made of it.
# shellcheck shell=bash

# Set PYTHON_ID to the interpreter's version and home, or say why it cannot be used.
ensure_python() {
    local others="Name another one with PYTHON=/path/to/python3."
    command -v -- "$PYTHON" >/dev/null \
        || die "There is no $PYTHON. As root: apt-get install python3 python3-venv. $others"
    PYTHON_ID="$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2], sys.prefix)')" \
        || die "$PYTHON does not run as a Python interpreter. $others"
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
        || die "$PYTHON is Python ${PYTHON_ID%% *}; 3.11 or later is needed. $others"
}

ensure_ensurepip() {
    local package="python3-venv"
    [[ "$PYTHON" == /usr/bin/python3 ]] || package="python${PYTHON_ID%% *}-venv"
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null \
        || die "$PYTHON cannot make virtual environments. As root: apt-get install $package."
}

# pip_of ENVIRONMENT ARGUMENT...
pip_of() {
    local venv="$1"
    shift
    "$venv/bin/python" -I -m pip --disable-pip-version-check --no-input "$@"
}

# The pinned requirements of a file, and the mod_wsgi that is built for this Python, if it is to be.
install_requirements() {
    local venv="$1" requirements="$2"
    pip_of "$venv" install --no-compile --require-hashes --only-binary :all: \
        --requirement "$requirements"
    # By all cores, which pip does by one.
    "$venv/bin/python" -I -m compileall -q -j 0 "$venv/lib"
    [[ "$MOD_WSGI" == pip ]] || return 0
    command -v apxs >/dev/null \
        || die "mod_wsgi cannot be built. As root: apt-get install apache2-dev."
    # Without the cache: what was built for another Apache would be taken for this one's.
    pip_of "$venv" install --no-cache-dir --no-build-isolation --require-hashes \
        --requirement "$PROJECT_DIR/requirements-apache.txt"
}
