"""Health checks for a load balancer: whether the process is alive, and whether it can serve."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process serves."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if the database is reachable and migrated and the media store is writable, else 503 and why."""
    problems = [problem for check in (_database, _media) if (problem := check())]
    return JsonResponse({"ready": not problems, "problems": problems}, status=503 if problems else 200)


def _database() -> str | None:
    try:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Exception as error:
        # For any error of the database the answer is the same: not ready, and the kind of error.
        return f"database: {type(error).__name__}"
    return f"database: {len(missing)} migrations to apply" if missing else None


def _media() -> str | None:
    try:
        name = default_storage.save("readyz", ContentFile(b"ok"))
        default_storage.delete(name)
    except OSError as error:
        return f"media: {error.strerror}"
    except Exception as error:
        # Errors of an object store: only its library defines their classes.
        return f"media: {type(error).__name__}"
    return None
