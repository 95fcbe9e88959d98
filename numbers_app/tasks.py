"""Background entry points. The task queue is a doorbell: the rows say what is to be done."""

from django.tasks import task

from .actors import Actor
from .models import Source
from .services.execution import order_execute
from .services.notifications import notification_mail
from .services.verification import history_verify_and_keep


@task()
def execute_order(order_id: int) -> None:
    """Carry an approved order to the vendor, as far as it will go now."""
    order_execute(actor=Actor.portal("Worker", source=Source.WORKER), order_id=order_id)


@task(priority=-10)
def send_mail(notification_id: int) -> None:
    """Send the mail of a notification. Orders go first."""
    notification_mail(actor=Actor.portal("Worker", source=Source.WORKER), notification_id=notification_id)


@task(priority=-20)
def verify_history() -> None:
    """Verify the whole history and keep what it came to. Everything else goes first."""
    history_verify_and_keep(actor=Actor.portal("Worker", source=Source.WORKER))
