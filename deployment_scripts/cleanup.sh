#!/usr/bin/env bash
# Remove what the deployment scripts made, and nothing else; asks first.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/config_profile.sh"

usage() {
    cat <<'END'
Usage: cleanup.sh [--yes] [--models]

Removes the virtual environments, the generated settings with their secret key, and what Python and
the tests' tools left in the clone. It lists everything and asks first. The MNIST files stay.

  --yes      do not ask
  --models   remove the models trained here as well
  --help     show this text
END
}

# Print what is to be removed, each path ended by NUL.
list_made_here() {
    local path
    for path in "$PYVENV" "$TEST_PYVENV"; do
        if made_here "$path"; then printf '%s\0' "$path"; fi
    done
    for path in "$SETTINGS_FILE" "$SETTINGS_FILE.part"; do
        if generated "$path"; then printf '%s\0' "$path"; fi
    done
    for path in digit_classifier.egg-info .coverage .hypothesis .import_linter_cache \
        .mypy_cache .pytest_cache .ruff_cache .tox; do
        if [[ -e "$PROJECT_DIR/$path" ]]; then printf '%s\0' "$PROJECT_DIR/$path"; fi
    done
    find "$PROJECT_DIR/digit_classifier" "$PROJECT_DIR/tests" -type d -name __pycache__ -prune \
        -print0
}

generated() {
    [[ -f "$1" && "$(head -n 1 -- "$1")" == "$SETTINGS_MARK" ]]
}

list_models() {
    [[ -d "$MODELS_DIR" ]] || return 0
    find "$MODELS_DIR" -mindepth 2 -maxdepth 2 -type f \
        \( -name model.safetensors -o -name model.png -o -name checkpoint.safetensors \) -print0
}

confirm() {
    local answer=""
    read -r -p "Remove all of this? [y/N] " answer || true
    [[ "$answer" == [yY] || "$answer" == [yY][eE][sS] ]] || die "Nothing was removed."
}

remove() {
    local path="$1"
    # A virtual environment keeps its stamp to the last, so that a second run can finish the work.
    if made_here "$path"; then empty_venv "$path"; fi
    rm -rf -- "$path"
    info "Removed $path"
    # The folders made for the settings and the models go when nothing else is in them.
    case "$path" in
        "$SETTINGS_FILE"*) drop_if_empty "$(dirname -- "$SETTINGS_FILE")" ;;
        "$MODELS_DIR"/*) drop_if_empty "$(dirname -- "$path")" "$MODELS_DIR" ;;
    esac
}

drop_if_empty() {
    rmdir --ignore-fail-on-non-empty -- "$@"
}

main() {
    local ask=yes models=no made path
    while (($#)); do
        case "$1" in
            --yes) ask=no ;;
            --models) models=yes ;;
            --help) usage && return ;;
            *) usage_error "unknown option $1" ;;
        esac
        shift
    done
    mapfile -d '' -t made < <(
        list_made_here
        if [[ "$models" == yes ]]; then list_models; fi
    )
    if ((${#made[@]} == 0)); then
        info "There is nothing to remove."
        return
    fi
    if [[ "$ask" == yes ]]; then
        printf '%s\n' "${made[@]}"
        confirm
    fi
    for path in "${made[@]}"; do remove "$path"; done
}

main "$@"
