#!/usr/bin/env bash
# The gate: checks of the code, and the tests, in an environment of its own.
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

usage() {
    cat <<'END'
Usage: run_tests.sh [--lint | --coverage]

Checks the Python code and runs the tests, in TEST_PYVENV. The tests that read MNIST look for it in
DIGIT_CLASSIFIER_DATA_DIR and are skipped without it; REQUIRE_MNIST=1 makes them fail instead.

  --lint       check the shell scripts and the page's modules as well, and run no tests but the modules'
  --coverage   all of both, and fail if the tests without Apache cover less than 90 %; they take
               half as long again
  --help       show this text
END
}

check_python() {
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
}

check_scripts() {
    step "JavaScript (tsc, eslint, node)"
    check_javascript
    step "Shell scripts (shellcheck)"
    shellcheck deployment_scripts/*.sh deployment_scripts/lib/*.sh .ci/run
}

# By the environment's own Node, as a machine's may be missing or too old.
check_javascript() {
    local place=tests/javascript
    [[ $place/node_modules -nt $place/package-lock.json ]] || npm --prefix "$place" ci
    "$place/node_modules/.bin/tsc" --project "$place"
    "$place/node_modules/.bin/eslint" --config "$place/eslint.config.js" --max-warnings 0 \
        digit_classifier/web/static "$place/page"
    node --test "$place/page/*.test.js"
}

# Arguments: further ones for the tests without Apache.
run_tests() {
    local failed=0
    # The operator's own settings do not concern the tests; the place of the data does. Without
    # bytecode, each of the many programs that the tests start would compile the package.
    unset "${!DIGIT_CLASSIFIER_@}" PYTHONDONTWRITEBYTECODE
    export DIGIT_CLASSIFIER_DATA_DIR="$DATA_DIR"
    step "Tests (pytest, on all cores)" # each of which has a worker, not all threads of BLAS
    OPENBLAS_NUM_THREADS=1 pytest "$@" --numprocesses logical --dist worksteal --durations 25 \
        -m "not apache" || failed=1
    step "Tests of Apache (pytest, in two groups)" # by tests/deployment/scheduling.py
    pytest --numprocesses 2 --dist loadscope --durations 50 -m apache tests/deployment || failed=1
    return "$failed"
}

main() {
    local scripts=no tests=yes coverage=()
    case "${1-}" in
        "") ;;
        --lint) scripts=yes tests=no ;;
        --coverage) scripts=yes coverage=(--cov) ;;
        --help) usage && return ;;
        *) usage_error "unknown option $1" ;;
    esac
    STEPS=6
    [[ "$scripts" == no ]] || STEPS=$((STEPS + 2))
    [[ "$tests" == no ]] || STEPS=$((STEPS + 2))
    cd -- "$PROJECT_DIR"
    check_python
    [[ "$scripts" == no ]] || check_scripts
    [[ "$tests" == no ]] || run_tests "${coverage[@]}"
}

main "$@"
