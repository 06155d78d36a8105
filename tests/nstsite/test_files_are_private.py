"""Other users of the machine can read nothing that the program writes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def open_to_others(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def test_data_and_backups_are_readable_by_their_owner_alone(tmp_path):
    data, backup = tmp_path / "data", tmp_path / "backup"
    environment = {
        key: value for key, value in os.environ.items() if key not in ("MEDIA_ROOT", "DATABASE_URL")
    }
    environment |= {
        "DATA_DIR": str(data),
        "DJANGO_SETTINGS_MODULE": "nstsite.settings",
        "PYTHON": sys.executable,
    }
    script = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "from django.core.files.base import ContentFile\n"
        "from django.core.files.storage import default_storage\n"
        "from django.db import connection\n"
        "connection.ensure_connection()\n"
        "connection.cursor().execute('CREATE TABLE x (y)')\n"
        "default_storage.save('stimuli/x.png', ContentFile(b'x'))\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=True, umask=0o022)
    assert (data / "nstsite.sqlite3").exists()
    assert open_to_others(data) == []
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    # Files of an older installation, open to all, do not stay so in a backup.
    (data / "media/stimuli/x.png").chmod(0o644)
    command = ["deploy/backup.sh", str(backup)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, umask=0o022, capture_output=True)
    assert open_to_others(backup) == []
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
