"""What was really bought and changed, for programs and for people."""

from pathlib import Path

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from sandbox.faults import KINDS
from sandbox.models import Campaign, Held, JournalEntry, Number, State
from sandbox.parameters import ten_digits
from sandbox.views.control import armed_faults

NEWEST = 25
STYLESHEET = (Path(__file__).resolve().parent.parent / "static" / "sandbox.css").read_text()


def page(request: HttpRequest) -> HttpResponse:
    """The page at `/`: counts, newest purchases and updates, armed faults, and how to call the API."""
    entries = JournalEntry.objects.order_by("-pk")
    taken = Number.objects.filter(taken=True).count()
    sold, held = Campaign.objects.count(), Held.objects.count()
    context = {
        "available": f"{State.objects.get().numbers - taken:,}",
        "sold": sold,
        "rivals": taken - sold - held,
        "held": held,
        "updates": entries.filter(kind="update").count(),
        "newest": [
            (kind, heading, entries.filter(kind=kind)[:NEWEST])
            for kind, heading in (("purchase", "Newest purchases"), ("update", "Newest updates"))
        ],
        "faults": armed_faults(),
        "kinds": KINDS,
        "base": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "sandbox/journal.html", context)


def journal(request: HttpRequest) -> HttpResponse:
    """`/journal.json`: every committed purchase and update, oldest first; `number` and `kind` narrow it."""
    entries = JournalEntry.objects.order_by("pk")
    if wanted := request.GET.get("number"):
        entries = entries.filter(number=ten_digits(wanted))
    if kind := request.GET.get("kind"):
        entries = entries.filter(kind=kind)
    return JsonResponse({"entries": _as_json(entries)})


def stylesheet(request: HttpRequest) -> HttpResponse:
    """The page's stylesheet."""
    return HttpResponse(STYLESHEET, content_type="text/css")


def _as_json(entries: QuerySet[JournalEntry]) -> list[dict[str, object]]:
    return [
        {
            "id": entry.pk,
            "time": entry.at.isoformat(),
            "kind": entry.kind,
            "number": entry.number,
            "account": entry.account,
            "campaignName": entry.campaign_name,
            "values": entry.values,
        }
        for entry in entries
    ]
