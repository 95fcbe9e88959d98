"""The history and the inventory as files, and evidence that can be checked away from the portal."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from numbers_app.errors import InvalidInput
from numbers_app.forms.evidence import EvidenceForm
from numbers_app.forms.filters import HistoryFilter, ListFilter
from numbers_app.forms.inventory import InventoryFilter
from numbers_app.permissions import Capability
from numbers_app.selectors.campaigns import campaign_sort
from numbers_app.services.evidence import evidence_export
from numbers_app.services.exports import ExportFormat, history_export
from numbers_app.services.inventory import inventory_export
from numbers_app.services.verification import known_keys

from .http import PortalRequest, actor_of, allow


@require_POST
def export(request: PortalRequest) -> HttpResponseBase:
    """What the history's list shows with the same filter. A filter that is not understood leads back to the list."""
    filtered = HistoryFilter(request.POST, user=request.user)
    try:
        file_format = ExportFormat(request.POST.get("format", ""))
    except ValueError:
        messages.error(request, "Choose CSV or JSON lines.")
        return _back_to(request, "history_list")
    if not filtered.is_valid():
        return _back_to(request, "history_list")
    made = history_export(
        actor=actor_of(request), entries=filtered.qs, filters=_in_words(filtered), file_format=file_format
    )
    return _download(made.stream, file_format.content_type, made.filename)


@require_POST
def inventory(request: PortalRequest) -> HttpResponseBase:
    """What the list of numbers shows with the same filter and order. A filter that is not understood leads back."""
    filtered = InventoryFilter(request.POST, user=request.user)
    if not filtered.is_valid():
        return _back_to(request, "campaign_list")
    campaigns = campaign_sort(filtered.qs, request.POST.get("sort", ""))
    made = inventory_export(actor=actor_of(request), campaigns=campaigns, filters=_in_words(filtered))
    return _download(made.stream, "text/csv; charset=utf-8", made.filename)


@require_http_methods(["GET", "HEAD", "POST"])
def evidence(request: PortalRequest) -> HttpResponseBase:
    """What an archive of evidence is and the form that asks for one; then the archive. 422 for entries not there."""
    allow(request, Capability.SEE_ALL)
    if request.method != "POST":
        return _evidence_page(request, EvidenceForm())
    form = EvidenceForm(request.POST)
    if form.is_valid():
        try:
            made = evidence_export(
                actor=actor_of(request), first=form.cleaned_data["first"], last=form.cleaned_data["last"]
            )
        except InvalidInput as error:
            form.add_error(error.field or None, error.message)
        else:
            return _download(made.stream, "application/zip", made.filename)
    return _evidence_page(request, form, status=422)


def _evidence_page(request: PortalRequest, form: EvidenceForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "public_keys": sorted(known_keys()), "signs": bool(settings.HISTORY_SIGNING_KEY)}
    return render(request, "history/evidence.html", context, status=status)


def _download(stream: Iterator[bytes], content_type: str, filename: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingHttpResponse(stream, content_type=content_type, headers=headers)


def _back_to(request: PortalRequest, name: str) -> HttpResponse:
    """The list says at each field what is wrong with it."""
    query = request.POST.copy()
    for ours in ("csrfmiddlewaretoken", "format"):
        query.pop(ours, None)
    return redirect(f"{reverse(name)}?{query.urlencode()}")


def _in_words(filtered: ListFilter) -> str:
    """The filter as the history keeps it, as in ``number: 3167342253; from: 2026-11-01``."""
    given = [(field.label.lower(), field.value()) for field in filtered.form]
    return "; ".join(f"{label}: {value}" for label, value in given if value)
