"""Background entry points. The task queue is a doorbell: the order's row says what is to be done."""

from django.tasks import task

from .actors import Actor
from .models import Source
from .services.execution import order_execute


@task()
def execute_order(order_id: int) -> None:
    """Carry an approved order to the vendor, as far as it will go now."""
    order_execute(actor=Actor.portal("Worker", source=Source.WORKER), order_id=order_id)
