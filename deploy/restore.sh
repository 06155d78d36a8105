#!/usr/bin/env bash
# deploy/restore.sh FOLDER [KEY]    puts back what deploy/backup.sh copied; stop the site first, and see to an empty database
set -euo pipefail
umask 077
here="$(cd "$(dirname "$0")/.." && pwd)"
data="${DATA_DIR:-$here/var}"
media="${MEDIA_ROOT:-$data/media}"
from="$(cd "${1:?usage: deploy/restore.sh FOLDER [KEY]}" && pwd)"
key="${2:-$from/secret_key}"
if [[ -n "${2:-}" && ! -f "$key" ]]; then
    echo "$key: there is no such file" >&2
    exit 2
fi
(cd "$from" && sha256sum --check --quiet SHA256SUMS)
mkdir -p "$data" "$media"
if [[ "${DATABASE_URL:-}" == postgres* ]]; then
    pg_restore --exit-on-error --no-owner --single-transaction --dbname="$DATABASE_URL" "$from/database.dump"
else
    if [[ -e "$data/nstsite.sqlite3" ]]; then
        echo "$data/nstsite.sqlite3 is there already: move it away first (with its -wal and -shm)" >&2
        exit 2
    fi
    cp "$from/nstsite.sqlite3" "$data/nstsite.sqlite3"
fi
cp -a "$from/media/." "$media/"
if [[ -f "$key" ]]; then
    cp "$key" "$data/secret_key"
elif [[ ! -f "$data/secret_key" && -z "${SECRET_KEY:-}${SECRET_KEY_FILE:-}" ]]; then
    echo "No secret key came along: the site makes a new one. People sign in again, and Prolific is connected again." >&2
fi
chmod -R go= "$media"
echo "restored from $from; now: manage.py migrate, and start the site"
