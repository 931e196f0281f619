# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by every script of the lab: where its state lies, how it complains, and how packages come.

PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB=$PROJECT/tests/lab
LAB_STATE=${LAB_STATE:-$PROJECT/build/lab}
mkdir -p "$LAB_STATE"
LAB_STATE=$(cd "$LAB_STATE" && pwd)
# Some of it is called by cron jobs and CI runners that have no sbin in PATH.
export PATH=$PATH:/usr/sbin:/sbin

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# The head of the calling script, from its fourth line on, is its help.
usage() {
    sed -n '4,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

need_root() {
    [ "$(id -u)" = 0 ] || die "only root can do this"
}

# need COMMAND... -- PACKAGE...: installs the packages if one of the commands is missing
need() {
    local missing=''
    while [ "$1" != -- ]; do
        command -v "$1" >/dev/null || missing=1
        shift
    done
    shift
    [ -z "$missing" ] || "$PROJECT/scripts/deps" --packages "$@"
}

# into_tree DIR SRC:/DEST...: copies files and folders into the tree at DIR
into_tree() {
    local tree=$1 pair
    shift
    for pair; do
        [[ $pair == ?*:/?* ]] || die "$pair is not SRC:/DEST"
        [ -e "${pair%%:*}" ] || die "there is no ${pair%%:*}"
        mkdir -p "$(dirname "$tree${pair#*:}")"
        cp -aLT "${pair%%:*}" "$tree${pair#*:}"
    done
}
