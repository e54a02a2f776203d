#!/usr/bin/env bash
# The gate: format, lint, security, types, imports, scripts of page and shell, and tests, in an
# environment of its own.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/config_profile.sh"

usage() {
    cat <<'END'
Usage: run_tests.sh [--lint]

Runs every check of the project, in TEST_PYVENV. The tests that read MNIST look for it in
DIGIT_CLASSIFIER_DATA_DIR and are skipped without it; REQUIRE_MNIST=1 makes them fail instead.

  --lint   stop before the tests
  --help   show this text
END
}

check_code() {
    step "Test environment"
    bash deployment_scripts/install_pyvenv.sh --test
    PATH="$TEST_PYVENV/bin:$PATH"
    step "Format (ruff)"
    ruff format --check .
    step "Lint (ruff)"
    ruff check .
    step "Security (bandit)"
    bandit --quiet --recursive --configfile pyproject.toml digit_classifier apache benchmarks
    step "Types (mypy)"
    mypy
    step "Imports (import-linter)"
    lint-imports
    step "JavaScript (tsc, eslint)"
    check_javascript
    step "Shell scripts (shellcheck)"
    shellcheck --external-sources deployment_scripts/*.sh .ci/run
}

# By the environment's own Node, as a machine's may be missing or too old.
check_javascript() {
    local place=tests/javascript
    [[ $place/node_modules -nt $place/package-lock.json ]] || npm --prefix "$place" ci
    "$place/node_modules/.bin/tsc" --project "$place"
    "$place/node_modules/.bin/eslint" --config "$place/eslint.config.js" --max-warnings 0 \
        digit_classifier/web/static
}

run_tests() {
    step "Tests (pytest)"
    # The operator's own settings are no business of the tests; the place of the data is.
    unset "${!DIGIT_CLASSIFIER_@}"
    DIGIT_CLASSIFIER_DATA_DIR="$DATA_DIR" pytest --cov
}

main() {
    local tests=yes
    case "${1-}" in
        "") ;;
        --lint) tests=no ;;
        --help) usage && return ;;
        *) usage_error "unknown option $1" ;;
    esac
    STEPS=8
    [[ "$tests" == no ]] || STEPS=9
    cd -- "$PROJECT_DIR"
    check_code
    if [[ "$tests" == yes ]]; then run_tests; fi
}

main "$@"
