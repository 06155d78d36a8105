#!/usr/bin/env bash
# deploy/backup.sh FOLDER     copies database, media and secret key into a new folder, while the site runs
# deploy/restore.sh FOLDER    puts them back, while the site is stopped
# Both take DATA_DIR, MEDIA_ROOT and DATABASE_URL from the environment, as the site does.
set -euo pipefail
# A backup holds what the data folder holds, the secret key included: its owner's alone.
umask 077
here="$(cd "$(dirname "$0")/.." && pwd)"
data="${DATA_DIR:-$here/var}"
to="${1:?usage: deploy/backup.sh FOLDER}"
mkdir "$to"
# The database first: an image that it does not know yet does no harm, one that it knows and is missing would.
if [[ "${DATABASE_URL:-}" == postgres* ]]; then
    pg_dump --format=custom --no-owner --file="$to/database.dump" "$DATABASE_URL"
else
    "${PYTHON:-$here/.venv/bin/python}" -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("VACUUM INTO ?", (sys.argv[2],))' \
        "$data/nstsite.sqlite3" "$to/nstsite.sqlite3"
fi
cp -a "${MEDIA_ROOT:-$data/media}" "$to/media"
if [[ -f "$data/secret_key" ]]; then cp -a "$data/secret_key" "$to/secret_key"; fi
chmod -R go= "$to"
(cd "$to" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum > SHA256SUMS)
echo "backed up into $to"
