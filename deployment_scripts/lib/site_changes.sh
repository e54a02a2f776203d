# List what this run changes for clients, and ask for confirmation.
# shellcheck shell=bash

check_stored() {
    ((${#UNKNOWN_LINES[@]} == 0)) \
        || die "$CONFIG_DIR/deploy.env has a line that is not a variable of this deployment:" \
            "${UNKNOWN_LINES[0]}"
}

site_has_tls() {
    grep --quiet '^Define DC_TLS' "$SITE_FILE"
}

# The port that the site has for HTTP: with TLS, that of its first virtual host, which redirects.
site_http_port() {
    if site_has_tls; then
        sed -n 's/^ *<VirtualHost \*:\([0-9]*\)>.*/\1/p' "$SITE_FILE" | sed -n 1p
    else
        sed -n 's/^Define DC_PORT //p' "$SITE_FILE"
    fi
}

# name OLD NEW: a line, if they differ
difference() {
    [[ "$2" == "$3" ]] || printf '  %s: %s instead of %s\n' "$1" "$3" "$2"
}

site_changes() {
    [[ -e "$SITE_FILE" ]] || return 0
    difference SERVER_NAME "$(sed -n 's/^ServerName //p' "$SITE_FILE")" "$SERVER_NAME"
    difference HTTP_PORT "$(site_http_port)" "$HTTP_PORT"
    site_has_tls || return 0
    if [[ -z "$TLS_CERT" ]]; then
        printf '  TLS is removed: browsers that came by TLS refuse HTTP for two years (HSTS)\n'
    else
        difference HTTPS_PORT "$(sed -n 's/^Define DC_PORT //p' "$SITE_FILE")" "$HTTPS_PORT"
    fi
}

confirm_site_changes() {
    local changes
    changes="$(site_changes)"
    [[ -n "$changes" ]] || return 0
    printf 'This run changes how clients reach the service:\n%s\n' "$changes"
    [[ "$YES" == no ]] || return 0
    [[ -t 0 ]] || die "Nothing was changed. If that is meant, run it again with --yes."
    confirm "Go on?" || die "Nothing was changed."
}
