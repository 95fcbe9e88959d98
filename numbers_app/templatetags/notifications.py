"""What people are told of orders and of their watched searches, on the page and in mails."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString

from numbers_app.models import Notification, NotificationKind
from numbers_app.text import phone_text

from .domain import order_title
from .shell import icon

register = template.Library()

ICONS = {
    NotificationKind.REQUESTED: "clipboard-plus",
    NotificationKind.URGENT: "exclamation-circle",
    NotificationKind.AMENDED: "pencil",
    NotificationKind.COMMENTED: "chat-left-text",
    NotificationKind.APPROVED: "check2",
    NotificationKind.APPROVAL_UNDONE: "arrow-counterclockwise",
    NotificationKind.REJECTED: "slash-circle",
    NotificationKind.CANCELLED: "dash-circle",
    NotificationKind.EXPIRING: "hourglass-split",
    NotificationKind.EXPIRED: "calendar-x",
    NotificationKind.NEXT_CHOICE: "skip-forward",
    NotificationKind.BOUGHT: "check-circle",
    NotificationKind.FAILED: "x-octagon",
    NotificationKind.UNKNOWN: "question-diamond",
    NotificationKind.NEEDS_PERSON: "person-exclamation",
    NotificationKind.SETTLED: "clipboard-check",
    NotificationKind.APPEARED: "binoculars",
    NotificationKind.STOPPING: "calendar-x",
    NotificationKind.BATCH_WAITING: "collection",
    NotificationKind.BATCH_DECIDED: "clipboard-check",
    NotificationKind.BATCH_DONE: "check-circle",
}


@register.simple_tag
def notification_icon(notification: Notification) -> SafeString:
    """The icon of what the person was told."""
    return icon(ICONS[NotificationKind(notification.kind)])


@register.filter
def sentence(notification: Notification) -> str:
    """As in "Order 12, purchase of (316) 734-2253, is bought" and "Your search Cakes found new numbers"."""
    if notification.batch:
        return f"Batch {notification.batch_id}, {about(notification)}, {notification.get_kind_display()}"
    if notification.campaign:
        return f"{phone_text(notification.campaign.phone_number)} {notification.detail}"
    if notification.watch:
        return f"Your search {notification.watch.view} {notification.get_kind_display()}"
    return f"Order {notification.order_id}, {about(notification)}, {notification.get_kind_display()}"


@register.filter
def about(notification: Notification) -> str:
    """What it is about within a sentence: "purchase of (316) 734-2253", a batch's title, or what the watch found."""
    if notification.batch:
        return notification.batch.title
    if notification.order is None:
        return notification.detail
    title = order_title(notification.order)
    return title[:1].lower() + title[1:]


@register.filter
def plain(value: Any) -> str:
    """A value as ``shown`` writes it, for text that is not HTML."""
    if value is None or value in ("", []):
        return "empty"
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value)
