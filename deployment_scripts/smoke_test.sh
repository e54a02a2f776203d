#!/usr/bin/env bash
# Ask a running service what its users would: health, a known digit by every route, headers, errors.
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/messages.sh"

PICTURE="$(dirname -- "${BASH_SOURCE[0]}")/../digit_classifier/samples/4-7.png"
DIGIT=7

usage() {
    cat <<'END'
Usage: smoke_test.sh [URL]

Asks the service at URL, by default http://127.0.0.1/, for a known digit by every route, and for its
health, its headers and its errors. Ends with 1 at the first answer that is not as it should be.
SMOKE_CURL_OPTIONS are given to curl, for example --insecure.
END
}

# ask STATUS PATTERN OPTION... PATH: the answer must have that status and match the pattern
ask() {
    local status="$1" pattern="$2" path="${*: -1}" options answer
    options=("${@:3:$#-3}")
    # shellcheck disable=SC2086  # options, to be split
    answer="$(curl --silent --show-error --include --max-time 30 ${SMOKE_CURL_OPTIONS-} \
        --write-out '\nstatus: %{http_code}\n' "${options[@]}" "$URL$path" | tr --delete '\r')" \
        || die "$URL$path does not answer."
    [[ "$answer" == *$'\n'"status: $status" ]] \
        || die "$path answers with another status than $status: $answer"
    grep --quiet --ignore-case --extended-regexp -- "$pattern" <<<"$answer" \
        || die "$path: there is nothing like '$pattern' in: $answer"
    checks=$((checks + 1))
    ANSWER="$answer"
}

ask_health() {
    ask 200 '"alive"' /livez
    ask 200 '"ready"' /readyz
}

# Where programs need API keys, the token of the page's form stands for one.
open_page() {
    COOKIES="$(mktemp)"
    trap 'rm -f -- "$COOKIES"' EXIT
    ask 200 'name="myfile"' --cookie-jar "$COOKIES" /
    TOKEN="$(sed -n 's/.*name="csrf_token"[^>]* value="\([^"]*\)".*/\1/p' <<<"$ANSWER")"
    STYLESHEET="$(sed -n 's/.*href="\([^"]*site\.css\)".*/\1/p' <<<"$ANSWER")"
    AS_PAGE=(--cookie "$COOKIES" -H "X-CSRFToken: $TOKEN")
}

ask_for_digit() {
    ask 200 "\"prediction\":$DIGIT" "${AS_PAGE[@]}" -F "myfile=@$PICTURE" /curl-api
    ask 200 "\"label\":$DIGIT" "${AS_PAGE[@]}" -F "file=@$PICTURE" /mnist/classify
    ask 200 "\"prediction\":$DIGIT" "${AS_PAGE[@]}" --data-binary "@$PICTURE" /mnist/classify
    ask 200 "\"label\":$DIGIT" "${AS_PAGE[@]}" -F "image=@$PICTURE" /upload
    ask 200 "\"prediction\":$DIGIT" "${AS_PAGE[@]}" -F "image=@$PICTURE" /api/v1/classify
    ask 200 "\"text\":\"$DIGIT\"" "${AS_PAGE[@]}" -F "image=@$PICTURE" /api/v1/read
    ask 200 "\"prediction\":$DIGIT" "${AS_PAGE[@]}" -F "images=@$PICTURE" /api/v1/classify/batch
    ask 200 '"inputs"' "${AS_PAGE[@]}" /v2/models/mlp
    ask 200 '"openapi"' /api/v1/openapi.json
}

ask_by_page() {
    ask 200 "class=\"digit\"[^>]*>$DIGIT" --cookie "$COOKIES" --referer "$URL/" \
        -F "csrf_token=$TOKEN" -F "myfile=@$PICTURE" /
    ask 200 '^Cache-Control: .*max-age=31536000' "$STYLESHEET"
}

ask_headers_and_errors() {
    ask 200 "^Content-Security-Policy: default-src 'self'" /livez
    ask 200 '^X-Content-Type-Options: nosniff' /livez
    ask 200 '^X-Request-ID: smoke-test' -H 'X-Request-ID: smoke-test' /livez
    ask 404 '"code": ?"not_found"' /nowhere
    ask 415 '"code": ?"unsupported_image"' "${AS_PAGE[@]}" -F "myfile=@${BASH_SOURCE[0]}" /curl-api
    [[ "$ANSWER" != *Python* && "$ANSWER" != *mod_wsgi* ]] || die "An answer reveals versions: $ANSWER"
}

main() {
    case "${1-}" in
        --help) usage && return ;;
        -*) usage_error "unknown option $1" ;;
    esac
    URL="${1:-http://127.0.0.1/}"
    URL="${URL%/}"
    checks=0
    ask_health
    open_page
    ask_for_digit
    ask_by_page
    ask_headers_and_errors
    info "$URL answers all $checks questions as it should."
}

main "$@"
