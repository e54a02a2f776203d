#!/usr/bin/env bash
# Make the virtual environment: the pinned, hashed requirements and this package, editable.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/config_profile.sh"

usage() {
    cat <<'END'
Usage: install_pyvenv.sh [--test]

Makes the virtual environment PYVENV from requirements.txt, or does nothing where it is up to date.

  --test   make TEST_PYVENV from requirements-dev.txt instead
  --help   show this text
END
}

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

# Print what the environment depends on as one hash: it is rebuilt when any of this changes,
# including its own place, since an environment does not survive being moved.
fingerprint() {
    local venv="$1" requirements="$2"
    {
        printf '%s\n' "$venv" "$PROJECT_DIR" "$PYTHON_ID"
        cat -- "$requirements" "$PROJECT_DIR/setup.py"
    } | sha256sum
}

is_current() {
    local venv="$1" wanted="$2"
    made_here "$venv" && [[ "$(<"$venv/$VENV_STAMP")" == "$wanted" ]] \
        && "$venv/bin/python" -I -c 'import pip, digit_classifier' 2>/dev/null
}

# Take the folder and hold it until this script ends, against a second run at the same time.
claim() {
    local venv="$1" lock
    if [[ -e "$venv" ]] && ! made_here "$venv"; then
        [[ -d "$venv" && -z "$(ls -A -- "$venv")" ]] \
            || die "$venv exists and was not made here; move it away or name another folder."
    fi
    mkdir -p -- "$venv"
    [[ -w "$venv" ]] || die "$venv is out of date and $(id -un) cannot write to it."
    touch -- "$venv/$VENV_STAMP"
    exec {lock}<"$venv/$VENV_STAMP"
    flock --nonblock "$lock" || { info "Waiting for another installation ..." && flock "$lock"; }
}

build() {
    local venv="$1" requirements="$2"
    info "Making $venv with Python ${PYTHON_ID%% *} ($PYTHON)."
    empty_venv "$venv"
    "$PYTHON" -m venv "$venv"
    local pip=("$venv/bin/python" -I -m pip --disable-pip-version-check --no-input)
    "${pip[@]}" install --require-hashes --only-binary :all: --requirement "$requirements"
    # From inside the folder, as pip would read brackets in its name as extras.
    (cd -- "$PROJECT_DIR" && "${pip[@]}" install --no-deps --no-build-isolation --editable .)
}

main() {
    local venv="$PYVENV" requirements="$PROJECT_DIR/requirements.txt" wanted
    case "${1-}" in
        "") ;;
        --test) venv="$TEST_PYVENV" requirements="$PROJECT_DIR/requirements-dev.txt" ;;
        --help) usage && return ;;
        *) usage_error "unknown option $1" ;;
    esac
    ensure_python
    wanted="$(fingerprint "$venv" "$requirements")"
    if ! is_current "$venv" "$wanted"; then
        ensure_ensurepip
        claim "$venv"
        # Another run may have finished the work while this one waited.
        is_current "$venv" "$wanted" || build "$venv" "$requirements"
        printf '%s\n' "$wanted" >"$venv/$VENV_STAMP"
    fi
    info "$venv is up to date."
}

main "$@"
