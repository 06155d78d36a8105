#!/usr/bin/env bash
# deploy/backup.sh FOLDER [KEY]     copies database, media and secret key into a new folder, while the site runs
# deploy/restore.sh FOLDER [KEY]    puts them back, while the site is stopped
# With KEY, a file's name, the secret key is copied there and not into the folder: whoever gets one of them opens no token.
# Both take DATA_DIR, MEDIA_ROOT and DATABASE_URL from the environment, as the site does.
set -euo pipefail
# A backup holds what the data folder holds, the secret key included: its owner's alone.
umask 077
here="$(cd "$(dirname "$0")/.." && pwd)"
data="${DATA_DIR:-$here/var}"
to="${1:?usage: deploy/backup.sh FOLDER [KEY]}"
key="${2:-$to/secret_key}"
if [[ -n "${2:-}" && -e "$key" ]] && ! cmp -s "$key" "$data/secret_key"; then
    echo "$key is there already, and is another key: name a new file" >&2
    exit 2
fi
mkdir "$to"
# The database first: an image that it does not know yet does no harm, one that it knows and is missing would.
if [[ "${DATABASE_URL:-}" == postgres* ]]; then
    pg_dump --format=custom --no-owner --file="$to/database.dump" "$DATABASE_URL"
else
    "${PYTHON:-$here/.venv/bin/python}" -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("VACUUM INTO ?", (sys.argv[2],))' \
        "$data/nstsite.sqlite3" "$to/nstsite.sqlite3"
fi
cp -a "${MEDIA_ROOT:-$data/media}" "$to/media"
if [[ -f "$data/secret_key" ]]; then cp "$data/secret_key" "$key" && chmod 600 "$key"; fi
chmod -R go= "$to"
(cd "$to" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum > SHA256SUMS)
echo "backed up into $to"
if [[ -f "$to/secret_key" ]]; then
    echo "The secret key is in it: keep it as safe as the site. To keep the key apart: deploy/backup.sh FOLDER KEY" >&2
fi
