"""Background entry points. The task queue is a doorbell: the rows say what is to be done."""

from django.tasks import task

from .actors import Actor
from .models import Source
from .services.account_sync import accounts_sync_run
from .services.batch_release import batch_release
from .services.execution import order_execute
from .services.notifications import notification_mail
from .services.verification import history_verify_and_keep


@task()
def execute_order(order_id: int) -> None:
    """Carry an approved order to the vendor, as far as it will go now."""
    order_execute(actor=Actor.portal("Worker", source=Source.WORKER), order_id=order_id)


# What comes by the thousand, batches and confirmations, goes behind what people asked for one by one.
execute_order_behind = execute_order.using(priority=-5)


@task(priority=-4)
def release_batch(batch_id: int) -> None:
    """Turn what is approved of a batch into orders, before the ones already made run out."""
    actor = Actor.portal("Worker", source=Source.WORKER)
    if batch_release(actor=actor, batch_id=batch_id, ring=execute_order_behind.enqueue):
        release_batch.enqueue(batch_id)


@task(priority=-10)
def send_mail(notification_id: int) -> None:
    """Send the mail of a notification. Orders go first."""
    notification_mail(actor=Actor.portal("Worker", source=Source.WORKER), notification_id=notification_id)


@task(priority=-20)
def verify_history() -> None:
    """Verify the whole history and keep what it came to. Everything else goes first."""
    history_verify_and_keep(actor=Actor.portal("Worker", source=Source.WORKER))


@task(priority=-15)
def sync_accounts(even_if_many_are_gone: bool = False) -> None:
    """Read the account tree from the vendor, because somebody asked. Orders and mails go first."""
    actor = Actor.portal("Worker", source=Source.WORKER)
    accounts_sync_run(actor=actor, even_if_many_are_gone=even_if_many_are_gone)
