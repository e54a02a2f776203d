#!/usr/bin/env bash
# Run a command while the balancer asks nothing of an instance: no request fails, whatever it does.
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/lib/all.sh"

usage() {
    cat <<'END'
Usage: upgrade_instance.sh ADDRESS:PORT COMMAND...

On the balancer's machine, as root. Lets HAProxy send no new request to the instance, waits until it
has answered those that it has, runs the command, and puts the instance back when it is ready. If the
command fails, the instance stays out. For example:

  upgrade_instance.sh 10.0.0.11:80 ssh admin@10.0.0.11 sudo systemctl restart apache2
END
}

# haproxy_command COMMAND: send it to HAProxy's socket, and print the answer
haproxy_command() {
    printf '%s\n' "$1" | socat -t 10 STDIO "UNIX-CONNECT:$BALANCER_SOCKET"
}

# instance_matches CONDITION: whether one does, an awk condition on name, requests and state
instance_matches() {
    haproxy_command "show stat instances 4 -1" | awk -F, -v instance="$INSTANCE" \
        "{ name = \$2; requests = \$5; state = \$18 } !/^#/ && $1 { n++ } END { exit n == 0 }"
}

is_idle() {
    instance_matches 'name == instance && requests == 0'
}

is_up() {
    instance_matches 'name == instance && state ~ /^UP/'
}

another_is_up() {
    instance_matches 'name != instance && state ~ /^UP/'
}

set_state() {
    local answer
    answer="$(haproxy_command "set server instances/$INSTANCE state $1")"
    [[ -z "${answer//$'\n'/}" ]] || die "HAProxy: $answer"
}

main() {
    case "${1-}" in
        --help) usage && return ;;
        -*) usage_error "unknown option $1" ;;
    esac
    (($# >= 2)) || usage_error "no instance, or no command"
    INSTANCE="$1"
    shift
    another_is_up || die "No other instance serves: $INSTANCE stays."
    set_state drain
    if ! wait_for is_idle; then
        set_state ready
        die "$INSTANCE does not come to the end of its requests; it goes on."
    fi
    info "$INSTANCE is asked nothing"
    "$@" || die "The command failed. $INSTANCE stays out until it is run again and succeeds."
    set_state ready
    wait_for is_up || die "$INSTANCE is not ready; HAProxy takes it as soon as it is."
    info "$INSTANCE serves again"
}

main "$@"
