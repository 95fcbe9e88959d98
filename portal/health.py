"""Probes for load balancers and monitoring."""

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from numbers_app.selectors.history import verification_latest
from numbers_app.triggers import triggers_missing
from numbers_app.vendor import vendor_left_alone_until


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Is the process alive? Touches nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Can the portal do its work? 200 or 503, and in ``checks`` what is wrong, in words."""
    checks = {"database": _database(), "cache": "ok"}
    if checks["database"] == "ok":
        try:
            cache.set("readyz", "ok", 10)
        except Exception as error:
            checks["cache"] = f"not writable ({type(error).__name__})"
    known = checks["database"] == "ok"
    details = {"history": _history() if known else {}, "callcap": _callcap() if known else {}}
    ready = all(word == "ok" for word in checks.values())
    answer = {"status": "ready" if ready else "not ready", "checks": checks, **details}
    return JsonResponse(answer, status=200 if ready else 503)


def _history() -> dict[str, str | int | None]:
    """How the last verification of the history went and how old it is; a portal with a doubtful history still works."""
    last = verification_latest()
    if last is None:
        return {"verified": None}
    age = int((timezone.now() - last.at).total_seconds())
    return {"verified": "not in order" if last.problems else "in order", "seconds_ago": age, "problems": last.problems}


def _callcap() -> dict[str, str | None]:
    """Whether Callcap is left alone because it did not answer; a portal without Callcap still works."""
    until = vendor_left_alone_until()
    return {"left_alone_until": until.isoformat(timespec="seconds") if until else None}


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "migrations are missing: run manage.py migrate"
        missing = triggers_missing(connection)
    except DatabaseError as error:
        return f"does not answer ({type(error).__name__})"
    return f"guards are missing: {', '.join(missing)}" if missing else "ok"
