#!/usr/bin/env bash
# deploy/restore.sh FOLDER    puts back what deploy/backup.sh copied; stop the site first, and see to an empty database
set -euo pipefail
umask 077
here="$(cd "$(dirname "$0")/.." && pwd)"
data="${DATA_DIR:-$here/var}"
media="${MEDIA_ROOT:-$data/media}"
from="$(cd "${1:?usage: deploy/restore.sh FOLDER}" && pwd)"
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
if [[ -f "$from/secret_key" ]]; then cp -a "$from/secret_key" "$data/secret_key"; fi
chmod -R go= "$media"
echo "restored from $from; now: manage.py migrate, and start the site"
