#!/usr/bin/env bash
# Make HAProxy's configuration for several instances of the service.
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

usage() {
    cat <<'END'
Usage: build_balancer.sh ADDRESS:PORT...

Writes BALANCER_CONFIG, HAProxy's configuration for the instances at these addresses, from
balancer/haproxy.cfg.in. The old one stays if HAProxy refuses the new. Afterwards, as root:
systemctl reload haproxy. BALANCER_BIND is where HAProxy listens, BALANCER_SOCKET its control socket.
END
}

# One server line per instance, named by its address.
servers() {
    local address
    for address in "$@"; do printf '    server %s %s\n' "$address" "$address"; done
}

main() {
    case "${1-}" in
        --help) usage && return ;;
        "") usage_error "no instance" ;;
        -*) usage_error "unknown option $1" ;;
    esac
    for_each_variable check_variable
    local address config output
    for address in "$@"; do
        [[ "$address" =~ ^[A-Za-z0-9.-]+:[0-9]+$ ]] || die "$address is not of the form ADDRESS:PORT."
    done
    command -v haproxy >/dev/null || die "There is no HAProxy. As root: apt-get install haproxy socat."
    config="$(render "$PROJECT_DIR/balancer/haproxy.cfg.in" \
        BIND="$BALANCER_BIND" SOCKET="$BALANCER_SOCKET" SERVERS="$(servers "$@")")"
    output="$(haproxy -c -f /dev/stdin <<<"$config" 2>&1)" || die "HAProxy refuses it: $output"
    ensure_file 0600 "" "$BALANCER_CONFIG" <<<"$config"
}

main "$@"
