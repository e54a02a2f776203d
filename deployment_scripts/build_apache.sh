#!/usr/bin/env bash
# Make Apache's configuration for the service: the site, and locally a whole Apache around it.
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

# What either Apache loads, by the names of a2enmod; mod_wsgi is a case of its own.
MODULES=(mpm_event asis authz_core authz_host alias deflate dir filter headers mime negotiation
    remoteip reqtimeout rewrite setenvif unique_id)
# Threads of each of Apache's processes, and the most of those processes, where memory lets them be.
readonly THREADS_PER_SERVER=256
readonly MOST_SERVERS=8

# The environment to ask about the application: that of a release which does not serve yet.
ENVIRONMENT="${NEW_RELEASE:+$NEW_RELEASE/venv}"
ENVIRONMENT="${ENVIRONMENT:-$PYVENV}"

usage() {
    cat <<'END'
Usage: build_apache.sh

Makes the site's configuration from apache/digit_classifier.conf.in. Locally, it makes a whole
Apache in INSTANCE_DIR/apache-PORT, which build_all_local.sh --apache runs; with DEPLOYMENT=system,
as root, the site of this machine's Apache, and it keeps the old one if Apache refuses the new.
END
}

check_profile() {
    local path
    for path in "$PROJECT_DIR" "$APACHE_DIR" "$RUN_DIR" "$LOG_DIR" "$PYVENV" "$TLS_CERT" "$TLS_KEY" "$BODIES_DIR"; do
        # shellcheck disable=SC1003,SC2016  # the characters themselves
        [[ "$path" != *['"\$']* ]] || die 'Apache takes no path with one of "\$: '"$path"
    done
    check_variables
    [[ -x "$APACHE" && -d "$APACHE_MODULES_DIR" ]] \
        || die "There is no $APACHE. As root: apt-get install apache2-bin."
    [[ "$MOD_WSGI" == pip || -e "$APACHE_MODULES_DIR/mod_wsgi.so" ]] \
        || die "There is no mod_wsgi. As root: apt-get install libapache2-mod-wsgi-py3."
    [[ -e "$APACHE_MODULES_DIR/mod_security2.so" ]] \
        || die "There is no mod_security. As root: apt-get install libapache2-mod-security2."
    [[ "$(stat --file-system --format %T -- "$BODIES_DIR")" == tmpfs ]] \
        || die "$BODIES_DIR, for bodies that are being taken in, is not a tmpfs: they would reach a disk."
    # The longest name of a socket has 107 characters.
    ((${#RUN_DIR} <= 80)) || die "$RUN_DIR is too long for sockets; name another folder in RUN_DIR."
    [[ -z "$TLS_CERT" ]] || MODULES+=(http2 socache_shmcb ssl)
}

check_python() {
    [[ "$MOD_WSGI" == apt ]] || return 0
    local version
    version="$("$ENVIRONMENT/bin/python" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    [[ -e "$APACHE_MODULES_DIR/mod_wsgi.so-$version" ]] || ! compgen -G \
        "$APACHE_MODULES_DIR/mod_wsgi.so-*" >/dev/null \
        || die "The distribution's mod_wsgi runs another Python than $version, which $ENVIRONMENT is" \
            "made of. Set PYTHON=/usr/bin/python3, or MOD_WSGI=pip."
}

load_modules() {
    local name
    for name in "${MODULES[@]}"; do
        printf 'LoadModule %s_module "%s/mod_%s.so"\n' "$name" "$APACHE_MODULES_DIR" "$name"
    done
}

# The path of the mod_wsgi that was built for the environment. A machine's Apache gets a copy, which
# stays where it is when another release serves: Apache takes another module only when it is started.
built_module() {
    local line module version
    # By the interpreter's path, since the script's own first line takes none with a space.
    line="$("$ENVIRONMENT/bin/python" -I "$ENVIRONMENT/bin/mod_wsgi-express" module-config \
        | grep '^LoadModule ')"
    module="${line%\"*}"
    module="${module##*\"}"
    if [[ "$DEPLOYMENT" == system ]]; then
        version="$("$ENVIRONMENT/bin/python" -I -c \
            'from importlib.metadata import version as v; print(v("mod_wsgi"))')"
        [[ -e "$PREFIX/modules/$version-${module##*/}" ]] \
            || install -D -m 0644 -- "$module" "$PREFIX/modules/$version-${module##*/}"
        module="$PREFIX/modules/$version-${module##*/}"
    fi
    printf '%s\n' "$module"
}

# The distribution's mod_wsgi is enabled like any module, where there is a machine's Apache.
load_wsgi() {
    if [[ "$MOD_WSGI" == pip ]]; then
        local module
        module="$(built_module)"
        printf 'LoadModule wsgi_module "%s"\n' "$module"
    elif [[ "$DEPLOYMENT" == local ]]; then
        printf 'LoadModule wsgi_module "%s/mod_wsgi.so"\n' "$APACHE_MODULES_DIR"
    fi
}

flags() {
    if [[ "$DEPLOYMENT" == system ]]; then echo "Define DC_SYSTEM"; fi
    if [[ -n "$TLS_CERT" ]]; then echo "Define DC_TLS"; fi
    if [[ -n "$TRUSTED_PROXIES" ]]; then echo "Define DC_PROXIES"; fi
    if ((PROCESSES == 1)); then echo "Define DC_ONE_PROCESS"; fi
}

# The ports to listen on, but for those that the distribution's own file has.
listen() {
    local port ports=("$HTTP_PORT")
    [[ -z "$TLS_CERT" ]] || ports+=("$HTTPS_PORT")
    for port in "${ports[@]}"; do
        if [[ "$DEPLOYMENT" == local ]]; then
            echo "Listen $(bracketed "$HOST"):$port"
        elif ! grep --quiet "^[[:space:]]*Listen $port\$" /etc/apache2/ports.conf; then
            echo "Listen $port"
        fi
    done
}

# mod_security; its package enables it for the machine's Apache, and the site loads it where it was
# disabled.
load_security() {
    if [[ "$DEPLOYMENT" == system ]]; then echo "<IfModule !security2_module>"; fi
    printf 'LoadModule security2_module "%s/mod_security2.so"\n' "$APACHE_MODULES_DIR"
    if [[ "$DEPLOYMENT" == system ]]; then echo "</IfModule>"; fi
}

# The memory of this machine in MiB, or what a container may have of it: by cgroups v2, or v1.
memory() {
    local mebibytes file limit
    mebibytes="$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)"
    for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
        limit="$(cat -- "$file" 2>/dev/null)" || continue
        [[ "$limit" =~ ^[0-9]+$ ]] || continue # "max"
        limit=$((limit / 1024 / 1024))
        mebibytes=$((limit < mebibytes ? limit : mebibytes))
    done
    printf '%s\n' "$mebibytes"
}

# The most processes of Apache: bodies of a MiB in all of their threads take some quarter of the memory.
max_servers() {
    local mebibytes servers
    mebibytes="$(memory)"
    servers=$(((mebibytes / 4 + THREADS_PER_SERVER - 1) / THREADS_PER_SERVER))
    printf '%s\n' $((servers > MOST_SERVERS ? MOST_SERVERS : servers))
}

# Apache's condition that a connection comes from one of the trusted proxies.
from_a_proxy() {
    local proxies proxy condition=""
    read -ra proxies <<<"$TRUSTED_PROXIES"
    for proxy in "${proxies[@]}"; do
        condition+="${condition:+ || }%{CONN_REMOTE_ADDR} -ipmatch '$proxy'"
    done
    printf '%s\n' "$condition"
}

# The pattern that a path alone matches.
pattern() {
    local path="${1//[/[[]}"
    path="${path//\*/[*]}"
    printf '%s\n' "${path//\?/[?]}"
}

render_site() {
    local user="" port="$HTTP_PORT" suffix="" networks="" wsgi servers
    wsgi="$(load_wsgi)"
    servers="$(max_servers)"
    [[ "$DEPLOYMENT" == local ]] || user="user=$SERVICE_USER group=$SERVICE_USER"
    [[ -z "$TLS_CERT" ]] || port="$HTTPS_PORT"
    [[ "$HTTPS_PORT" == 443 ]] || suffix=":$HTTPS_PORT"
    [[ -z "$STATUS_NETWORKS" ]] || networks="Require ip $STATUS_NETWORKS"
    render "$PROJECT_DIR/apache/digit_classifier.conf.in" \
        RELEASE_PATTERN="$(pattern "$RELEASE_DIR")" APACHE_PATTERN="$(pattern "$APACHE_DIR")" \
        RELEASE_DIR="$RELEASE_DIR" HOME_DIR="$HOME_DIR" APACHE_DIR="$APACHE_DIR" \
        LOG_DIR="$LOG_DIR" RUN_DIR="$RUN_DIR" SITE_PORT="$port" FLAGS="$(flags)" \
        LOAD_WSGI="$wsgi" LISTEN="$(listen)" SERVER_NAME="$SERVER_NAME" \
        HTTP_PORT="$HTTP_PORT" HTTPS_SUFFIX="$suffix" WSGI_USER="$user" PROCESSES="$PROCESSES" \
        LARGE_PROCESSES=$(((PROCESSES + 1) / 2)) \
        START_SERVERS=$((servers < 2 ? servers : 2)) MAX_SERVERS="$servers" \
        MAX_WORKERS=$((servers * THREADS_PER_SERVER)) \
        MIN_SPARE_THREADS=$((THREADS_PER_SERVER / 2)) BODIES_DIR="$BODIES_DIR" \
        LOAD_SECURITY="$(load_security)" PYTHON_HOME="$PYVENV" TLS_CERT="$TLS_CERT" TLS_KEY="$TLS_KEY" \
        TRUSTED_PROXIES="$TRUSTED_PROXIES" FROM_A_PROXY="$(from_a_proxy)" STATUS_NETWORKS="$networks"
}

render_server() {
    render "$PROJECT_DIR/apache/httpd.conf.in" \
        APACHE_DIR="$APACHE_DIR" RUN_DIR="$RUN_DIR" LOG_DIR="$LOG_DIR" \
        SITE_PATTERN="$(pattern "$SITE_FILE")" \
        LOAD_MODULES="$(load_modules)"
}

# The application's part: its limits, its headers and the documents of errors.
describe_application() {
    local written file
    written="$(umask 022 && "$ENVIRONMENT/bin/digit-classifier" apache "$APACHE_DIR")"
    while read -r file; do
        [[ -z "$file" ]] || changed "$file written"
    done <<<"$written"
}

build_local() {
    local folder
    for folder in "$APACHE_DIR" "$RUN_DIR" "$LOG_DIR" "$RELEASE_DIR" "$WORKERS_DIR"; do
        ensure_directory 0700 "" "$folder"
    done
    describe_application
    link_assets "$ENVIRONMENT" "$RELEASE_DIR"
    ensure_link "$PROJECT_DIR/apache/digit_classifier.wsgi" "$RELEASE_DIR/digit_classifier.wsgi"
    render_site | ensure_file 0600 "" "$SITE_FILE"
    render_server | ensure_file 0600 "" "$APACHE_DIR/httpd.conf"
    "$APACHE" -f "$APACHE_DIR/httpd.conf" -t >"$RUN_DIR/configtest" 2>&1 \
        || die "Apache refuses its configuration: $(<"$RUN_DIR/configtest")"
}

# What this run has enabled and disabled.
ENABLED=()
DISABLED=()

# Enable modules, and write down which were not, for cleanup.sh.
enable_modules() {
    local name
    if [[ "$MOD_WSGI" == apt ]]; then
        MODULES+=(wsgi)
    elif [[ -e /etc/apache2/mods-enabled/wsgi.load ]]; then
        # The first of two that is loaded is the one that runs.
        a2dismod --quiet wsgi >/dev/null
        DISABLED+=(wsgi)
        # What a deployment had enabled itself was not enabled before.
        grep --quiet --line-regexp --no-messages wsgi "$MADE_DIR/modules" \
            || touch -- "$MADE_DIR/wsgi-disabled"
        changed "Apache's module wsgi disabled"
    fi
    for name in "${MODULES[@]}"; do
        [[ ! -e "/etc/apache2/mods-enabled/$name.load" ]] || continue
        a2enmod --quiet "$name" >/dev/null
        ENABLED+=("$name")
        [[ "$name" == wsgi && -e "$MADE_DIR/wsgi-disabled" ]] \
            || printf '%s\n' "$name" >>"$MADE_DIR/modules"
        changed "Apache's module $name enabled"
    done
}

# The old site comes back where Apache refuses the new one.
build_system() {
    local before="" output
    ensure_directory 0755 root:root "$APACHE_DIR"
    ensure_directory 0755 root:root "$MADE_DIR"
    describe_application
    enable_modules
    if [[ -e "$SITE_FILE" ]]; then before="$(<"$SITE_FILE")"; fi
    close_other_ports
    render_site | ensure_file 0644 root:root "$SITE_FILE"
    switch_sites
    if ! output="$(apache2ctl configtest 2>&1)"; then
        if [[ -n "$before" ]]; then
            printf '%s\n' "$before" | ensure_file 0644 root:root "$SITE_FILE"
        else
            ensure_absent "/etc/apache2/sites-enabled/${SITE_FILE##*/}"
        fi
        ((${#ENABLED[@]} == 0)) || a2dismod --quiet --force "${ENABLED[@]}" >/dev/null
        ((${#DISABLED[@]} == 0)) || a2enmod --quiet "${DISABLED[@]}" >/dev/null
        die "Apache refuses the site, the old one is back: $output"
    fi
    make_logs
    render "$PROJECT_DIR/apache/logrotate.conf.in" REQUESTS_LOG_DIR="$REQUESTS_LOG_DIR" \
        SERVICE_USER="$SERVICE_USER" | ensure_file 0644 root:root "$ROTATION_FILE"
    if has_systemd; then
        ensure_directory 0755 root:root "${HARDENING_FILE%/*}"
        ensure_file 0644 root:root "$HARDENING_FILE" <"$PROJECT_DIR/apache/hardening.conf"
        systemctl daemon-reload
    fi
}

main() {
    case "${1-}" in
        "") ;;
        --help) usage && return ;;
        *) usage_error "unknown option $1" ;;
    esac
    check_profile
    check_python
    if [[ "$DEPLOYMENT" == system ]]; then build_system; else build_local; fi
}

main "$@"
