"""``manage.py clock``: rings what has to be done again and again. Two clocks are harmless."""

import logging
import math
import signal
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import close_old_connections, connections

from numbers_app.actors import Actor
from numbers_app.models import Source
from numbers_app.services.account_sync import accounts_sync_if_due
from numbers_app.services.batch_drafts import batch_drafts_forget
from numbers_app.services.checkpoints import CHECKPOINT_EVERY, checkpoint_make
from numbers_app.services.settings_record import settings_record
from numbers_app.services.stopping import stop_reminders_send
from numbers_app.services.sweep import (
    batches_expire,
    batches_sweep,
    campaigns_end_stopped,
    mails_sweep,
    orders_expire,
    orders_sweep,
    tasks_forget_dead,
    verification_ring,
)
from numbers_app.services.watches import watches_run
from numbers_app.vendor import searched_forget

logger = logging.getLogger(__name__)

# A job that failed waits no longer than this, however seldom it runs.
LONGEST_PAUSE = 60


@dataclass
class Job:
    """Something to do every ``every`` seconds; ``due`` is on the monotonic clock.

    One that waits for Callcap runs ``aside``, in a thread of its own: a vendor that hangs must not keep orders from
    being rung.
    """

    name: str
    every: float
    run: Callable[[Actor], Any]
    aside: bool = False
    due: float = 0.0
    thread: threading.Thread | None = None


def _prune_tasks(actor: Actor) -> None:
    call_command("prune_db_task_results", min_age_days=7, verbosity=0)
    tasks_forget_dead(actor=actor)


class Command(BaseCommand):
    help = (
        "Ring the periodic jobs until stopped: orders, batches, mails and watched searches every 3 seconds, "
        "what expires or ends every minute, reminders of stop dates and the account tree every hour."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Run every job once and exit.")

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = [
            # The settings of a running clock do not change: once is enough.
            Job("settings_record", math.inf, lambda actor: settings_record(actor=actor)),
            Job("orders_sweep", 3, lambda actor: orders_sweep(actor=actor)),
            Job("batches_sweep", 3, lambda actor: batches_sweep(actor=actor)),
            Job("mails_sweep", 3, lambda actor: mails_sweep(actor=actor)),
            Job("watches_run", 3, lambda actor: watches_run(actor=actor), aside=True),
            Job("orders_expire", 60, lambda actor: orders_expire(actor=actor)),
            Job("batches_expire", 60, lambda actor: batches_expire(actor=actor)),
            Job("campaigns_end_stopped", 60, lambda actor: campaigns_end_stopped(actor=actor)),
            Job("searched_forget", 60, lambda actor: searched_forget()),
            Job("stop_reminders_send", 3600, lambda actor: stop_reminders_send(actor=actor)),
            Job("accounts_sync_if_due", 3600, lambda actor: accounts_sync_if_due(actor=actor), aside=True),
            # Before the verification, which misses checkpoints that are overdue after a long rest.
            Job("checkpoint_make", CHECKPOINT_EVERY.total_seconds(), lambda actor: checkpoint_make(actor=actor)),
            Job("verification_ring", 3600, lambda actor: verification_ring(actor=actor)),
            Job("prune_tasks", 3600, _prune_tasks),
            Job("batch_drafts_forget", 3600, lambda actor: batch_drafts_forget(actor=actor)),
        ]
        self._stopping = bool(options["once"])
        if not self._stopping:
            for signal_number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(signal_number, self._stop)
        self._ring_due(jobs)
        if options["once"]:
            for job in jobs:
                if job.thread:
                    job.thread.join()
        while not self._stopping:
            # Short, since a signal does not cut a sleep short.
            time.sleep(0.5)
            self._ring_due(jobs)

    def _stop(self, *_: Any) -> None:
        # Nothing but a plain flag: a handler that takes a lock can meet itself.
        self._stopping = True

    def _ring_due(self, jobs: list[Job]) -> None:
        for job in jobs:
            if time.monotonic() < job.due or (job.thread and job.thread.is_alive()):
                continue
            job.due = time.monotonic() + job.every
            if job.aside:
                # What a process that ends leaves half-way is looked at again at the next time.
                job.thread = threading.Thread(target=_run_aside, args=(job,), name=job.name, daemon=True)
                job.thread.start()
            else:
                _run(job)


def _run(job: Job) -> None:
    close_old_connections()
    try:
        job.run(Actor.portal("Clock", source=Source.WORKER))
    except Exception:
        # One job's trouble (a locked file, a database restart) must not keep the others from running.
        pause = min(job.every, LONGEST_PAUSE)
        job.due = time.monotonic() + pause
        logger.exception("periodic job %s failed; it is tried again in %s seconds", job.name, pause)


def _run_aside(job: Job) -> None:
    try:
        _run(job)
    finally:
        connections.close_all()
