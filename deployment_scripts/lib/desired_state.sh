# Verbs that bring about a state and report each change; run again, they change and report nothing.
# shellcheck shell=bash

# Every change is a line of this file, which the script that begins sets for those that it calls.
CHANGES_FILE="${CHANGES_FILE:-/dev/null}"

changed() {
    info "changed: $*"
    printf '%s\n' "$*" >>"$CHANGES_FILE"
}

# ensure_directory MODE OWNER PATH
ensure_directory() {
    local mode="$1" owner="$2" path="$3"
    if [[ ! -d "$path" ]]; then
        mkdir -p -- "$path"
        set_attributes "$mode" "$owner" "$path"
        changed "$path made"
    fi
    ensure_attributes "$mode" "$owner" "$path"
}

# ensure_attributes MODE OWNER PATH; an empty owner means the user who runs the script
ensure_attributes() {
    local mode="$1" owner="$2" path="$3" found wanted
    owner="${owner:-$(id -un):$(id -gn)}"
    found="$(stat --format '%04a %U:%G' -- "$path")"
    wanted="$mode $owner"
    [[ "$found" == "$wanted" ]] && return
    set_attributes "$mode" "$owner" "$path"
    changed "$path was $found, is $wanted"
}

# A link is refused: its target may be any file.
set_attributes() {
    local mode="$1" owner="$2" path="$3"
    [[ ! -L "$path" ]] || die "$path is a link, not a file or folder of ours."
    [[ -z "$owner" ]] || chown --no-dereference -- "$owner" "$path"
    chmod -- "$mode" "$path"
}

# ensure_file MODE OWNER PATH, the content on standard input; never is half of it under that name
ensure_file() {
    local mode="$1" owner="$2" path="$3" wanted what="edited" # by others, or by a new release
    wanted="$(mktemp)"
    cat >"$wanted"
    if [[ ! -f "$path" || -L "$path" ]] || ! cmp --silent -- "$wanted" "$path"; then
        [[ -e "$path" ]] || what="made"
        (umask 077 && cp -- "$wanted" "$path.new")
        set_attributes "$mode" "$owner" "$path.new"
        mv -fT -- "$path.new" "$path"
        changed "$path $what"
    fi
    rm -- "$wanted"
    ensure_attributes "$mode" "$owner" "$path"
}

# ensure_link TARGET PATH; the link is replaced in one step
ensure_link() {
    local target="$1" path="$2"
    [[ -L "$path" && "$(readlink -- "$path")" == "$target" ]] && return
    ln -sfn -- "$target" "$path.new"
    mv -fT -- "$path.new" "$path"
    changed "$path leads to $target"
}

# link_assets ENVIRONMENT FOLDER: lead from there to the static files, wherever its Python has them;
# the packages are only found, since importing them would take a third of a second
link_assets() {
    local environment="$1" folder="$2" paths
    paths="$("$environment/bin/python" -I -c \
        'from importlib.util import find_spec
for package, folder in ("digit_classifier", "web/static"), ("flask_bootstrap", "static/bootstrap5"):
    print(find_spec(package).submodule_search_locations[0], folder, sep="/")')"
    ensure_link "${paths%%$'\n'*}" "$folder/static"
    ensure_link "${paths##*$'\n'}" "$folder/bootstrap"
}

ensure_absent() {
    local path="$1"
    [[ -e "$path" || -L "$path" ]] || return 0
    rm -rf -- "$path"
    changed "$path removed"
}

# ensure_user NAME HOME: a system user that nobody can log in as
ensure_user() {
    local name="$1" home="$2"
    if getent passwd "$name" >/dev/null; then return; fi
    useradd --system --user-group --no-create-home --home-dir "$home" \
        --shell /usr/sbin/nologin "$name"
    changed "user $name made"
}

# ensure_packages NAME...; what was not there before is written down, for cleanup.sh
ensure_packages() {
    local name missing=() before
    for name in "$@"; do is_installed "$name" || missing+=("$name"); done
    ((${#missing[@]})) || return 0
    before="$(mktemp)"
    installed_packages >"$before"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update --quiet=2
    apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" >/dev/null
    mkdir -p -- "$MADE_DIR"
    installed_packages | comm -13 "$before" - >>"$MADE_DIR/packages"
    rm -- "$before"
    changed "packages installed: ${missing[*]}"
}

is_installed() {
    [[ "$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

installed_packages() {
    dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' \
        | sed -n 's/^installed //p' | LC_ALL=C sort
}
