"""Making a batch: a file or a selection, then the preview of what each row would do."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from numbers_app.batch_csv import COLUMNS, MOST_ROWS, PROBLEM, template, write_file
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.forms.batch_cells import CLEAR
from numbers_app.forms.batches import KINDS_OF_FILES, SelectionForm, SubmitForm, UploadForm
from numbers_app.forms.inventory import InventoryFilter
from numbers_app.models import Batch, BatchKind, BatchStatus, Campaign, RowState
from numbers_app.permissions import Capability, can
from numbers_app.selectors.batch_drafts import (
    DRAFT_STATES,
    batch_own,
    campaigns_chosen,
    draft_counts,
    draft_rows,
    given_columns,
)
from numbers_app.selectors.batches import batch_warnings
from numbers_app.selectors.campaigns import campaign_list
from numbers_app.services.batch_drafts import batch_discard, batch_from_file, batch_from_selection
from numbers_app.services.batches import NEEDS_NOBODY

from .http import PortalRequest, actor_of, allow, not_found, one_page, template_for

TEN_DIGITS = re.compile(r"[2-9][0-9]{9}", re.ASCII)
PREVIEW = "batches/preview.html"
SELECTABLE = (BatchKind.CHANGE, BatchKind.CONFIRM, BatchKind.REAPPLY)


@require_http_methods(["GET", "HEAD", "POST"])
def batch_new(request: PortalRequest) -> HttpResponse:
    """The form for a file; then its preview. 422 with a sentence at the file when it cannot be read as a whole."""
    allow(request, Capability.ORDER)
    if request.method != "POST":
        return _upload_page(request, UploadForm(initial={"kind": _kind_asked(request.GET)}))
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            batch = batch_from_file(
                actor=actor_of(request),
                kind=BatchKind(form.cleaned_data["kind"]),
                filename=file.name,
                data=file.read(),
                title=form.cleaned_data["title"],
                form_token=form.cleaned_data["form_token"],
            )
        except InvalidInput as error:
            form.add_error(error.field or None, error.message)
        else:
            return redirect("batch_preview", batch.pk)
    return _upload_page(request, form, status=422)


@require_safe
def batch_template(request: PortalRequest, kind: str) -> HttpResponse:
    """An empty file with every column of a kind."""
    allow(request, Capability.ORDER)
    if kind not in COLUMNS:
        raise Http404("There is no such template.")
    return _download(HttpResponse(template(kind), content_type="text/csv; charset=utf-8"), f"{kind}-template.csv")


@require_POST
def batch_select(request: PortalRequest) -> HttpResponse:
    """Numbers chosen in the inventory: for a change the form of the values, then the preview; else the preview."""
    allow(request, Capability.ORDER)
    kind = request.POST.get("kind", "")
    if kind not in SELECTABLE:
        messages.error(request, "Choose what to do with the numbers: change, confirm or send again.")
        return _back_to_inventory(request)
    campaigns = _chosen(request)
    # The inventory sends no values yet: whoever comes from there gets the empty form.
    if kind == BatchKind.CHANGE and "values" in request.POST:
        form = SelectionForm(request.POST)
        return _select(request, BatchKind.CHANGE, campaigns, form) if form.is_valid() else _values_page(request, form)
    count = campaigns.count()
    if problem := _count_problem(request, count):
        messages.error(request, problem)
        return _back_to_inventory(request)
    if kind != BatchKind.CHANGE:
        return _select(request, BatchKind(kind), campaigns, None)
    return _values_page(request, SelectionForm())


@require_safe
def batch_preview(request: PortalRequest, batch_id: int) -> HttpResponse:
    """What each row of a draft would do. One that was submitted has a page of its own."""
    allow(request, Capability.ORDER)
    if Batch.objects.filter(pk=batch_id).exclude(status=BatchStatus.DRAFT).exists():
        return redirect("batch_detail", batch_id)
    batch = _own(request, batch_id)
    template = template_for(request, PREVIEW, "rows")
    # Another page of the rows must not read all of them.
    form = {"form": submit_form(request, batch)} if template == PREVIEW else {}
    return render(request, template, preview_rows(request, batch) | form)


@require_safe
def batch_refused(request: PortalRequest, batch_id: int) -> HttpResponseBase:
    """The refused rows as they were given, each with its problem: to be corrected and uploaded again."""
    allow(request, Capability.ORDER)
    batch = _own(request, batch_id)
    refused = draft_rows(request.user, batch).filter(state=RowState.REFUSED)
    columns = [PROBLEM, *given_columns(batch, refused)]
    rows = ({**row.given, PROBLEM: row.problem} for row in refused.iterator(chunk_size=500))
    stream = StreamingHttpResponse(write_file(columns, rows), content_type="text/csv; charset=utf-8")
    return _download(stream, f"batch-{batch.pk}-refused.csv")


@require_POST
def discard(request: PortalRequest, batch_id: int) -> HttpResponse:
    """Throw a draft away."""
    allow(request, Capability.ORDER)
    batch = _own(request, batch_id)
    try:
        batch_discard(actor=actor_of(request), batch_id=batch.pk)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("batch_detail", batch.pk)
    messages.success(request, f"The preview of {batch.title} is discarded. Nothing of it was sent.")
    return redirect("batch_new")


def submit_form(request: PortalRequest, batch: Batch, data: QueryDict | None = None) -> SubmitForm:
    """The form that submits a draft, with what looks wrong about its rows."""
    return SubmitForm(
        data,
        kind=batch.kind,
        warnings=batch_warnings(batch, draft_rows(request.user, batch).filter(state=RowState.READY)),
        needs_nobody=batch.kind in NEEDS_NOBODY and can(request.user, Capability.CHANGE_ROUTING),
    )


def preview_rows(request: PortalRequest, batch: Batch) -> dict[str, Any]:
    """Counts, and one page of the rows that stand as the address says."""
    found = draft_rows(request.user, batch)
    counts = draft_counts(found)
    total = sum(counts.values())
    state = request.GET.get("state", "")
    shown = found.filter(state=state) if state in DRAFT_STATES else found
    return {
        "batch": batch,
        "counts": [(name, RowState(name).label, count) for name, count in counts.items()],
        "total": total,
        "hidden": batch.rows.count() - total,
        "ready": counts[RowState.READY],
        "refused": counts[RowState.REFUSED],
        "state": state if state in DRAFT_STATES else "",
        "page_obj": one_page(request, shown),
    }


def _own(request: PortalRequest, batch_id: int) -> Batch:
    batch = batch_own(request.user, batch_id)
    if batch is None:
        raise not_found(f"Batch {batch_id}")
    return batch


def _kind_asked(query: QueryDict) -> str:
    kind = query.get("kind", "")
    return kind if kind in COLUMNS else BatchKind.CHANGE.value


def _upload_page(request: PortalRequest, form: UploadForm, status: int = 200) -> HttpResponse:
    kind = str(form["kind"].value() or "")
    kind = kind if kind in COLUMNS else BatchKind.CHANGE.value
    context = {"form": form, "kind": kind, "kinds": KINDS_OF_FILES, "columns": COLUMNS[kind], "clear": CLEAR}
    return render(request, "batches/new.html", context, status=status)


def _chosen(request: PortalRequest) -> QuerySet[Campaign]:
    """The ticked numbers, or all that the inventory shows with the filters of the query."""
    if request.POST.get("matching"):
        shown: QuerySet[Campaign] = InventoryFilter(QueryDict(request.POST.get("query", "")), user=request.user).qs
        return shown
    return campaigns_chosen(campaign_list(request.user), _ticked(request))


def _ticked(request: PortalRequest) -> list[str]:
    return [number for number in request.POST.getlist("number") if TEN_DIGITS.fullmatch(number)]


def _count_problem(request: PortalRequest, count: int) -> str:
    """Why no batch can be made of so many numbers; empty when one can."""
    if count > MOST_ROWS:
        return f"A batch takes at most {MOST_ROWS:,} numbers, and these are {count:,}. Narrow the list with a filter."
    if count:
        return ""
    if request.POST.get("matching"):
        return "No number matches these filters."
    return "None of the ticked numbers is yours." if _ticked(request) else "Tick at least one number."


def _select(
    request: PortalRequest, kind: BatchKind, campaigns: QuerySet[Campaign], form: SelectionForm | None
) -> HttpResponse:
    try:
        batch = batch_from_selection(
            actor=actor_of(request),
            kind=kind,
            campaigns=campaigns,
            values=form.values() if form else {},
            title=form.cleaned_data["title"] if form else "",
            form_token=form.cleaned_data["form_token"] if form else None,
        )
    except InvalidInput as error:
        if form:
            form.add_error(None, error.message)
            return _values_page(request, form)
        messages.error(request, error.message)
        return _back_to_inventory(request)
    _tell_of_others(request, batch.rows.count())
    return redirect("batch_preview", batch.pk)


def _tell_of_others(request: PortalRequest, found: int) -> None:
    """Say so when these are not as many numbers as the person has seen when choosing them."""
    seen = request.POST.get("count", "")
    if request.POST.get("matching"):
        if seen.isascii() and seen.isdigit() and seen != str(found):
            messages.warning(request, f"The filters match {found:,} by now; they matched {seen} when you chose them.")
    elif (gone := len(set(_ticked(request))) - found) > 0:
        messages.warning(
            request, f"{gone} of the ticked numbers {'is' if gone == 1 else 'are'} not yours and left out."
        )


def _values_page(request: PortalRequest, form: SelectionForm) -> HttpResponse:
    matching = bool(request.POST.get("matching"))
    count = _chosen(request).count()
    if not form.is_bound:
        _tell_of_others(request, count)
    context = {
        "form": form,
        "count": count,
        "numbers": [] if matching else _ticked(request),
        "matching": matching,
        "query": request.POST.get("query", ""),
    }
    return render(request, "batches/select.html", context, status=422 if form.is_bound else 200)


def _back_to_inventory(request: PortalRequest) -> HttpResponse:
    query = QueryDict(request.POST.get("query", "")).urlencode()
    return redirect(f"{reverse('campaign_list')}?{query}" if query else "campaign_list")


def _download[Response: HttpResponseBase](response: Response, filename: str) -> Response:
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response
