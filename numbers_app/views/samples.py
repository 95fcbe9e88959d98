"""Samples of the history: drawing them, reading them, signing them off."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from numbers_app.errors import Conflict, InvalidInput
from numbers_app.forms.samples import DrawForm, SignForm
from numbers_app.models import AuditSample, SampledEntry, SampleScope
from numbers_app.periods import Period
from numbers_app.permissions import Capability, can
from numbers_app.selectors.samples import sample_entries, sample_list, sample_next_unsigned, sample_own
from numbers_app.services.samples import sample_draw, sample_sign

from .http import PortalRequest, actor_of, allow, not_found, one_page

USUAL_DAYS = 30


@require_safe
def samples(request: PortalRequest) -> HttpResponse:
    """The samples so far with their progress, and the form that draws another one."""
    allow(request, Capability.SEE_ALL)
    usual = Period.latest(USUAL_DAYS)
    return _list_page(request, DrawForm(initial={"date_from": usual.first, "date_to": usual.last}))


@require_POST
def draw(request: PortalRequest) -> HttpResponse:
    """Draw a sample; 422 with everything typed when there is nothing to draw from."""
    allow(request, Capability.AUDIT)
    form = DrawForm(request.POST)
    if not form.is_valid():
        return _list_page(request, form, status=422)
    wanted = form.cleaned_data
    try:
        sample = sample_draw(
            actor=actor_of(request),
            period=form.period,
            scope=SampleScope(wanted["scope"]),
            size=wanted["size"],
            seed=wanted["seed"],
            up_to=wanted["up_to"],
        )
    except InvalidInput as error:
        form.refuse(error)
        return _list_page(request, form, status=422)
    messages.success(request, f"Sample {sample.pk} is drawn. The history says so.")
    return redirect("sample_detail", sample.pk)


@require_safe
def sample_detail(request: PortalRequest, sample_id: int) -> HttpResponse:
    """How a sample was drawn, what is in it, and what the auditors came to."""
    return _sample_page(request, _sample(request, sample_id))


@require_POST
def sign(request: PortalRequest, sample_id: int, sequence: int) -> HttpResponse:
    """Sign off an entry; 409 with the note kept when somebody else signed meanwhile."""
    sample = _sample(request, sample_id)
    allow(request, Capability.AUDIT)
    form = SignForm(request.POST, row=_row(sample, sequence))
    if not form.is_valid():
        return _refused(request, sample, sequence, form, status=422)
    try:
        row = sample_sign(actor=actor_of(request), sample_id=sample_id, sequence=sequence, **form.cleaned_data)
    except InvalidInput as error:
        form.add_error(error.field or None, error.message)
        return _refused(request, sample, sequence, form, status=422)
    except Conflict as error:
        form.add_error(None, f"{error.message} What you wrote is kept below; nothing of it was saved.")
        return _refused(request, sample, sequence, form, status=409)
    messages.success(request, f"Entry {sequence} is signed off: {row.get_verdict_display().lower()}.")
    if request.htmx:
        return _signed(request, _sample(request, sample_id), row)
    return redirect(f"{reverse('sample_detail', args=[sample_id])}#entry-{sequence}")


def _signed(request: PortalRequest, sample: AuditSample, row: SampledEntry) -> HttpResponse:
    """The row as it is now, the progress, and the focus on what waits next."""
    following = sample_next_unsigned(sample, request.user, after=row.entry_id)
    context = _context(request, sample) | {"row": row, "form": SignForm(row=row), "next": following}
    return render(request, "history/sample_signed.html", context)


def _refused(request: PortalRequest, sample: AuditSample, sequence: int, form: SignForm, status: int) -> HttpResponse:
    """The row, or without htmx the page, as it is now, with what was typed."""
    if not request.htmx:
        return _sample_page(request, sample, status, sequence, form)
    context = _context(request, sample) | {"row": _row(sample, sequence), "form": form}
    return render(request, "history/sample_row.html", context, status=status)


def _row(sample: AuditSample, sequence: int) -> SampledEntry:
    row = sample_entries(sample).filter(entry=sequence).first()
    if row is None:
        raise not_found(f"Entry {sequence} of sample {sample.pk}")
    return row


def _sample(request: PortalRequest, sample_id: int) -> AuditSample:
    """The sample with its progress: 403 for those who may not see everything, 404 where there is none."""
    allow(request, Capability.SEE_ALL)
    sample = sample_list().filter(pk=sample_id).first()
    if sample is None:
        raise not_found(f"Sample {sample_id}")
    return sample


def _sample_page(
    request: PortalRequest,
    sample: AuditSample,
    status: int = 200,
    refused: int | None = None,
    form: SignForm | None = None,
) -> HttpResponse:
    """The whole sample; ``form`` is what was refused for the entry ``refused``."""
    rows = [(row, form if row.entry_id == refused else SignForm(row=row)) for row in sample_entries(sample)]
    context = _context(request, sample) | {"rows": rows, "form": form}
    return render(request, "history/sample.html", context, status=status)


def _context(request: PortalRequest, sample: AuditSample) -> dict[str, Any]:
    own = sample_own(sample, request.user)
    return {"sample": sample, "may_sign": can(request.user, Capability.AUDIT), "own": own}


def _list_page(request: PortalRequest, form: DrawForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "page_obj": one_page(request, sample_list()),
        "may_draw": can(request.user, Capability.AUDIT),
    }
    return render(request, "history/samples.html", context, status=status)
