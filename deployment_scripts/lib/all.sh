# All that the deployment scripts share, in the order in which it builds on each other.
# shellcheck shell=bash

LIBRARY="$(dirname -- "${BASH_SOURCE[0]}")"
source "$LIBRARY/messages.sh"
source "$LIBRARY/../config_profile.sh"
source "$LIBRARY/desired_state.sh"
source "$LIBRARY/disk_space.sh"
source "$LIBRARY/settings.sh"
source "$LIBRARY/python.sh"
source "$LIBRARY/releases.sh"
source "$LIBRARY/apache_control.sh"
source "$LIBRARY/machine_apache.sh"
source "$LIBRARY/site_changes.sh"
source "$LIBRARY/live.sh"
