"""What the portal has told the person: the bell's count, the list, what counts as read, and mails on or off."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from numbers_app.forms.notifications import MailForm, ReadAllForm
from numbers_app.selectors.notifications import notification_list, unread_count
from numbers_app.services.notifications import notifications_read_all, order_seen, user_set_mail

from .http import PortalRequest, actor_of, one_page
from .order_access import order_to_see


@require_safe
def notifications(request: PortalRequest) -> HttpResponse:
    """What the person was told, newest first; ``?unread=1`` leaves out what they have read."""
    return render(request, "notifications/list.html", _list(request))


@require_safe
def count(request: PortalRequest) -> HttpResponse:
    """The inside of the bell, which asks for it once a minute."""
    return render(request, "notifications/count.html", {"unread_notifications": unread_count(request.user)})


@require_POST
def read_all(request: PortalRequest) -> HttpResponse:
    """Everything that the page showed, and what is older, counts as read; what came since stays unread."""
    form = ReadAllForm(request.POST)
    if not form.is_valid():
        return render(request, "notifications/list.html", _list(request) | {"form": form}, status=422)
    read = notifications_read_all(actor=actor_of(request), up_to=form.cleaned_data["up_to"])
    messages.success(request, _read_in_words(read))
    return redirect("notification_list")


@require_POST
def mail_setting(request: PortalRequest) -> HttpResponse:
    """Mails on or off, as the form says."""
    form = MailForm(request.POST)
    if not form.is_valid():
        return render(request, "notifications/list.html", _list(request) | {"form": form}, status=422)
    wanted = form.cleaned_data["wanted"]
    user_set_mail(actor=actor_of(request), wanted=wanted)
    messages.success(request, "Mails are on." if wanted else "Mails are off. You find everything here.")
    return redirect("notification_list")


@require_POST
def seen(request: PortalRequest, order_id: int) -> HttpResponse:
    """What the person was told of the order counts as read; on to the order, unless a script has only said so."""
    order = order_to_see(request, order_id)
    order_seen(actor=actor_of(request), order=order)
    return HttpResponse(status=204) if request.htmx else redirect("order_detail", order.pk)


def _list(request: PortalRequest) -> dict[str, Any]:
    unread_only = request.GET.get("unread") == "1"
    newest = notification_list(request.user, unread_only=False).first()
    return {
        "unread_only": unread_only,
        "newest": newest.pk if newest else 0,
        "page_obj": one_page(request, notification_list(request.user, unread_only=unread_only)),
    }


def _read_in_words(read: int) -> str:
    if not read:
        return "There was nothing unread."
    return f"{read} notification{' is' if read == 1 else 's are'} marked as read."
