# The parts of this machine's Apache that are not ours alone: its ports, its default site, its logs.
# shellcheck shell=bash

# What listened before the first deployment goes on; where nothing did, no port is opened but ours.
apache_ran_before() {
    [[ "$(cat -- "$MADE_DIR/apache-before" 2>/dev/null)" == running ]]
}

another_site_is_enabled() {
    [[ -n "$(find /etc/apache2/sites-enabled -mindepth 1 ! -name 000-default.conf \
        ! -name "${SITE_FILE##*/}" -print -quit)" ]]
}

# The distribution's file opens port 80, and 443 once TLS is enabled, whatever our ports are.
close_other_ports() {
    local ours=" $HTTP_PORT "
    [[ -z "$TLS_CERT" ]] || ours+="$HTTPS_PORT "
    if apache_ran_before || another_site_is_enabled; then
        ours+="80 "
        grep --quiet --line-regexp ssl "$MADE_DIR/modules" 2>/dev/null || ours+="443 "
    fi
    awk -v ours="$ours" '{ sub(/^# closed by digit-classifier: /, "") }
        $1 == "Listen" && ($2 == 80 || $2 == 443) && !index(ours, " " $2 " ") {
            $0 = "# closed by digit-classifier: " $0 } { print }' /etc/apache2/ports.conf \
        | ensure_file 0644 root:root /etc/apache2/ports.conf
}

switch_sites() {
    if apache_ran_before && [[ "$HTTP_PORT" != 80 ]]; then
        if [[ -e "$MADE_DIR/default-site" ]]; then
            a2ensite --quiet 000-default >/dev/null
            rm -- "$MADE_DIR/default-site"
            changed "Apache's default site enabled"
        fi
    elif [[ -e /etc/apache2/sites-enabled/000-default.conf ]]; then
        a2dissite --quiet 000-default >/dev/null
        touch -- "$MADE_DIR/default-site"
        changed "Apache's default site disabled"
    fi
    ensure_link "../sites-available/${SITE_FILE##*/}" "/etc/apache2/sites-enabled/${SITE_FILE##*/}"
}

# Apache would make them readable by all, until they are rotated.
make_logs() {
    local log
    for log in "$LOG_DIR"/digit-classifier-{access,error}.log; do
        [[ -e "$log" ]] || (umask 077 && : >"$log")
        ensure_attributes 0640 root:adm "$log"
    done
}
