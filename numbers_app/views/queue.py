"""What the queue of waiting orders shows, on the first page, on the page of orders and as htmx's answer."""

from __future__ import annotations

from typing import Any

from numbers_app.selectors.batches import batches_to_decide
from numbers_app.selectors.orders import order_queue, orders_undoable
from numbers_app.selectors.reviews import order_reviews
from numbers_app.services.validity import order_undo_until

from .http import PortalRequest
from .order_access import page_before

# More are reached once these are decided.
MOST_SHOWN = 20


def queue_context(request: PortalRequest) -> dict[str, Any]:
    """The orders and batches that wait for this person, and those whose approval they can still take back."""
    waiting = order_queue(request.user)
    undoable = list(orders_undoable(request.user))
    return {
        "queue": order_reviews(request.user, waiting[:MOST_SHOWN]),
        "waiting_count": waiting.count(),
        "waiting_batches": batches_to_decide(request.user),
        "undoable": [(order, order_undo_until(order)) for order in undoable],
        "queue_path": page_before(request) or request.path,
    }
