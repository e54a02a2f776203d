# The settings file with a secret of its own, made where there is none and never overwritten.
# shellcheck shell=bash

# ensure_settings MODE OWNER LINE...: the lines are further settings
ensure_settings() {
    local mode="$1" owner="$2" folder python key
    shift 2
    if [[ -e "$SETTINGS_FILE" ]]; then
        [[ -r "$SETTINGS_FILE" ]] || die "$(id -un) cannot read $SETTINGS_FILE."
        info "$SETTINGS_FILE is there already."
        return
    fi
    folder="$(dirname -- "$SETTINGS_FILE")"
    [[ -d "$folder" ]] || install -d -m 0700 -- "$folder"
    python="${NEW_RELEASE:+$NEW_RELEASE/venv/bin/python}"
    key="$("${python:-$PYVENV/bin/python}" -I -c 'import secrets; print(secrets.token_urlsafe(32))')"
    # Renamed into place when complete, so that an interrupted build leaves no half of a file.
    (umask 077 && settings_text "$key" "$@" >"$SETTINGS_FILE.part")
    set_attributes "$mode" "$owner" "$SETTINGS_FILE.part"
    mv -- "$SETTINGS_FILE.part" "$SETTINGS_FILE"
    changed "$SETTINGS_FILE generated, with a fresh secret key"
}

settings_text() {
    local key="$1"
    shift
    cat <<END
$SETTINGS_MARK
# It is never overwritten. The folders, the host and the port come from config_profile.sh.
[digit_classifier]
secret_key = "$key"
END
    (($# == 0)) || printf '%s\n' "$@"
}
