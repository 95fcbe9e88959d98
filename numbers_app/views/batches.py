"""Batches from submitting on: the list, the page with its progress, one function a verb, the result file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.forms.batch_decisions import RejectRowsForm, RowsForm
from numbers_app.forms.batches import SubmitForm
from numbers_app.models import Batch, BatchStatus
from numbers_app.permissions import Capability, can
from numbers_app.selectors.batches import (
    BatchProgress,
    batch_effects,
    batch_list,
    batch_progress,
    batch_rows,
    batch_sent_from,
    batch_timeline,
    batch_warnings,
    batches_counted,
    batches_to_decide,
    may_steer,
    rows_to_decide,
    sees_every_row,
)
from numbers_app.services.batch_exports import batch_results_export
from numbers_app.services.batch_outcomes import Outcome
from numbers_app.services.batches import (
    SUBMITTED,
    batch_approve,
    batch_cancel,
    batch_pause,
    batch_reject,
    batch_resume,
    batch_retry,
    batch_submit,
)
from numbers_app.services.notifications import batch_seen

from .batch_drafts import PREVIEW, preview_rows, submit_form
from .errors import conflict
from .http import PortalRequest, actor_of, allow, not_found, one_page, template_for

DETAIL = "batches/detail.html"


@require_safe
def batches(request: PortalRequest) -> HttpResponse:
    """A person's own batches and those that they may decide on, with how far they have come."""
    page = one_page(request, batch_list(request.user), per_page=20)
    context = {
        "page_obj": page,
        "shown": batches_counted(request.user, page),
        "waiting_batches": batches_to_decide(request.user),
        "can_order": can(request.user, Capability.ORDER),
    }
    return render(request, "batches/list.html", context)


@require_safe
def batch_detail(request: PortalRequest, batch_id: int) -> HttpResponse:
    """How far the batch has come, its rows, and what this person may do with it. A draft is still its preview."""
    batch = _to_see(request, batch_id)
    if batch.status == BatchStatus.DRAFT:
        return redirect("batch_preview", batch.pk)
    template = template_for(request, DETAIL, "progress")
    # The refresh of a long batch must not read all of its rows every two seconds, only the page of them.
    context = _context if template == DETAIL else _progress
    return render(request, template, context(request, batch))


@require_POST
def submit(request: PortalRequest, batch_id: int) -> HttpResponse:
    """Turn a draft into a batch that waits, or runs. 422 with the preview and what was typed when it cannot be."""
    allow(request, Capability.ORDER)
    batch = _to_see(request, batch_id)
    if batch.author_id != request.user.pk:
        raise not_found(f"Batch {batch_id}")
    form = submit_form(request, batch, request.POST)
    if not form.is_valid():
        return _preview(request, batch, form)
    try:
        made = batch_submit(
            actor=actor_of(request),
            batch_id=batch.pk,
            reason=form.cleaned_data["reason"],
            execute_after=form.cleaned_data["execute_after"],
        )
    except InvalidInput as error:
        form.add_error(None, error.message)
        return _preview(request, batch, form)
    except Conflict as error:
        return conflict(request, error, batch.get_absolute_url())
    runs = made.status == BatchStatus.RUNNING
    messages.success(request, f"Batch {batch.pk} {'is on its way' if runs else 'waits for a manager'}.")
    return redirect(made)


@require_POST
def approve(request: PortalRequest, batch_id: int) -> HttpResponse:
    """Approve the ticked rows, or all that wait for this person."""

    def decide(batch: Batch, form: RowsForm) -> str:
        count = batch_approve(actor=actor_of(request), batch_id=batch.pk, lines=form.lines)
        stop = "Pause or cancel the batch to stop what is not sent yet."
        return f"{_rows(count)} approved. {stop}{_ticked_in_vain(form, count)}"

    return _decide(request, batch_id, RowsForm(request.POST), decide)


@require_POST
def reject(request: PortalRequest, batch_id: int) -> HttpResponse:
    """Reject the ticked rows, or all that wait for this person, with a reason."""

    def decide(batch: Batch, form: RowsForm) -> str:
        reason = form.cleaned_data["reason"]
        count = batch_reject(actor=actor_of(request), batch_id=batch.pk, reason=reason, lines=form.lines)
        return f"{_rows(count)} rejected. {batch.author_name} sees your reason.{_ticked_in_vain(form, count)}"

    return _decide(request, batch_id, RejectRowsForm(request.POST), decide)


@require_POST
def pause(request: PortalRequest, batch_id: int) -> HttpResponse:
    """Send nothing more of the batch for now."""

    def steer(actor: Actor, batch: Batch) -> str:
        batch_pause(actor=actor, batch_id=batch.pk)
        return f"Batch {batch.pk} is paused. What is at Callcap already goes on."

    return _steer(request, batch_id, steer)


@require_POST
def resume(request: PortalRequest, batch_id: int) -> HttpResponse:
    """Go on with a paused batch."""

    def steer(actor: Actor, batch: Batch) -> str:
        batch_resume(actor=actor, batch_id=batch.pk)
        return f"Batch {batch.pk} goes on."

    return _steer(request, batch_id, steer)


@require_POST
def cancel(request: PortalRequest, batch_id: int) -> HttpResponse:
    """Take back what is not sent yet."""

    def steer(actor: Actor, batch: Batch) -> str:
        count = batch_cancel(actor=actor, batch_id=batch.pk)
        return f"{_rows(count)} cancelled. What is at Callcap already goes on."

    return _steer(request, batch_id, steer)


@require_POST
def retry(request: PortalRequest, batch_id: int) -> HttpResponse:
    """Try the failed rows again."""

    def steer(actor: Actor, batch: Batch) -> str:
        count = batch_retry(actor=actor, batch_id=batch.pk)
        left = "" if count else " Each says below why not."
        return f"{_rows(count)} tried again.{left}"

    return _steer(request, batch_id, steer)


@require_POST
def seen(request: PortalRequest, batch_id: int) -> HttpResponse:
    """What the person was told of the batch counts as read; on to the batch, unless a script has only said so."""
    batch = _to_see(request, batch_id)
    batch_seen(actor=actor_of(request), batch=batch)
    return HttpResponse(status=204) if request.htmx else redirect(batch)


@require_POST
def results(request: PortalRequest, batch_id: int) -> HttpResponseBase:
    """Every row as it was given, with what became of it."""
    batch = _to_see(request, batch_id)
    stream = batch_results_export(actor=actor_of(request), batch=batch)
    headers = {"Content-Disposition": f'attachment; filename="batch-{batch.pk}-results.csv"'}
    return StreamingHttpResponse(stream, content_type="text/csv; charset=utf-8", headers=headers)


def _to_see(request: PortalRequest, batch_id: int) -> Batch:
    batch = batch_list(request.user).filter(pk=batch_id).first()
    if batch is None:
        raise not_found(f"Batch {batch_id}")
    return batch


def _context(request: PortalRequest, batch: Batch, form: RowsForm | None = None) -> dict[str, Any]:
    user = request.user
    progress = _progress(request, batch)
    waiting = rows_to_decide(user, batch)
    shown = [row.pk for row in progress["page_obj"]]
    return progress | {
        "form": form or RowsForm(),
        "ticked": request.POST.getlist("line"),
        "decidable": set(waiting.filter(pk__in=shown).values_list("pk", flat=True)),
        "effects": batch_effects(batch, waiting),
        "warnings": batch_warnings(batch, waiting),
        "is_news": user.notifications.filter(batch=batch, read_at=None).exists(),
        "timeline": batch_timeline(user, batch),
    }


def _progress(request: PortalRequest, batch: Batch) -> dict[str, Any]:
    """What the part of the page that refreshes itself shows. The rows are read only if it shows them."""
    progress = batch_progress(batch, batch_rows(request.user, batch))
    asked = request.GET.get("outcome", "")
    outcome = asked if asked in Outcome.values else ""
    deciding = rows_to_decide(request.user, batch).count()
    return {
        "batch": batch,
        "progress": progress,
        "counts": [(name.value, name.label, count) for name, count in progress.counts.items()],
        "row_count": sum(progress.counts.values()),
        "sent_from": batch_sent_from(batch),
        "outcome": outcome,
        "page_obj": one_page(request, batch_rows(request.user, batch, outcome)),
        "deciding": deciding,
        # Where rows are being ticked, or were when the page was opened, they stay as they are.
        "rows_stay": deciding > 0 or bool(request.htmx and request.GET.get("rows") == "stay"),
        "result": batch.result if sees_every_row(request.user, batch) else "",
    } | _verbs(request, batch, progress)


def _verbs(request: PortalRequest, batch: Batch, progress: BatchProgress) -> dict[str, bool]:
    """What the person may do with the batch as it stands."""
    steers = may_steer(request.user, batch)
    unsent = progress.count(Outcome.WAITING, Outcome.APPROVED)
    return {
        "may_pause": steers and batch.status == BatchStatus.RUNNING and progress.count(Outcome.APPROVED) > 0,
        "may_resume": steers and batch.status == BatchStatus.PAUSED,
        "may_cancel": steers and batch.status in SUBMITTED and unsent > 0,
        "may_correct": steers and batch.author_id == request.user.pk and progress.count(Outcome.REFUSED) > 0,
        "may_retry": steers and progress.count(Outcome.FAILED) > 0,
    }


def _decide(
    request: PortalRequest, batch_id: int, form: RowsForm, decide: Callable[[Batch, RowsForm], str]
) -> HttpResponse:
    """Decide on rows; 422 or 409 with the ticks and the reason kept."""
    batch = _to_see(request, batch_id)
    allow(request, Capability.DECIDE)
    status = 422
    if form.is_valid():
        try:
            messages.success(request, decide(batch, form))
        except Conflict as error:
            form.add_error(None, f"{error.message} Nothing of yours was carried out.")
            status = 409
        else:
            return redirect(batch)
    batch.refresh_from_db()
    return render(request, DETAIL, _context(request, batch, form), status=status)


def _steer(request: PortalRequest, batch_id: int, steer: Callable[[Actor, Batch], str]) -> HttpResponse:
    batch = _to_see(request, batch_id)
    allow(request, Capability.ORDER)
    if not may_steer(request.user, batch):
        raise PermissionDenied("Only its author, and managers of its accounts, can do this.")
    try:
        messages.success(request, steer(actor_of(request), batch))
    except Conflict as error:
        return conflict(request, error, batch.get_absolute_url())
    return redirect(batch)


def _preview(request: PortalRequest, batch: Batch, form: SubmitForm) -> HttpResponse:
    return render(request, PREVIEW, preview_rows(request, batch) | {"form": form}, status=422)


def _ticked_in_vain(form: RowsForm, count: int) -> str:
    """How many of the ticked rows did not wait for this person any more, as a further sentence."""
    missed = len(set(form.lines or ())) - count
    if missed <= 0:
        return ""
    return f" {missed} of the rows that you ticked did not wait for your decision any more."


def _rows(count: int) -> str:
    return f"{count:,} row{' is' if count == 1 else 's are'}"
