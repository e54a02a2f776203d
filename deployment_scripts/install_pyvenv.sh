#!/usr/bin/env bash
# Make the virtual environment: the pinned, hashed requirements and this package, editable.
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

usage() {
    cat <<'END'
Usage: install_pyvenv.sh [--train | --test]

Makes the virtual environment PYVENV from requirements.txt, or does nothing where it is up to date.

  --train  make it from requirements-train.txt, with what training and evaluation need as well
  --test   make TEST_PYVENV from requirements-dev.txt instead
  --help   show this text
END
}

# Print what the environment depends on as one hash: it is rebuilt when any of this changes,
# including its own place, since an environment does not survive being moved.
fingerprint() {
    local venv="$1" requirements="$2"
    {
        printf '%s\n' "$venv" "$PROJECT_DIR" "$PYTHON_ID" "$MOD_WSGI"
        cat -- "$PROJECT_DIR/$requirements" "$PROJECT_DIR/requirements-apache.txt" \
            "$PROJECT_DIR/setup.py"
    } | sha256sum
}

# is_current ENVIRONMENT FINGERPRINT...: it was made from any of these, and works
is_current() {
    local venv="$1" found
    shift
    made_here "$venv" && found="$(<"$venv/$VENV_STAMP")" && [[ -n "$found" ]] \
        && printf '%s\n' "$@" | grep --quiet --line-regexp --fixed-strings -- "$found" \
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
    install_requirements "$venv" "$requirements"
    # From inside the folder, as pip would read brackets in its name as extras.
    (cd -- "$PROJECT_DIR" && pip_of "$venv" install --no-deps --no-build-isolation --editable .)
}

main() {
    local venv="$PYVENV" requirements="requirements.txt" others=() wanted
    case "${1-}" in
        # The environment with more will do, too.
        "") others=(requirements-train.txt) ;;
        --train) requirements="requirements-train.txt" ;;
        --test) venv="$TEST_PYVENV" requirements="requirements-dev.txt" ;;
        --help) usage && return ;;
        *) usage_error "unknown option $1" ;;
    esac
    ensure_python
    mapfile -t wanted < <(for file in "$requirements" "${others[@]}"; do fingerprint "$venv" "$file"; done)
    if ! is_current "$venv" "${wanted[@]}"; then
        ensure_ensurepip
        claim "$venv"
        # Another run may have finished the work while this one waited.
        if ! is_current "$venv" "${wanted[@]}"; then
            build "$venv" "$PROJECT_DIR/$requirements"
            printf '%s\n' "${wanted[0]}" >"$venv/$VENV_STAMP"
        fi
    fi
    info "$venv is up to date."
}

main "$@"
