"""``manage.py worker``: carries out what the task queue says, several tasks at once.

Most of a task's time is waiting for Callcap, so one process works in several threads, each a worker of django-tasks-db
with a database connection of its own. Any number of processes on any number of machines may run.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections, connection
from django.tasks import DEFAULT_TASK_BACKEND_ALIAS, DEFAULT_TASK_QUEUE_NAME
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker

logger = logging.getLogger(__name__)

# A locked file or a database restart ends a worker of the library; it starts again after this time.
PAUSE_AFTER_TROUBLE_SECONDS = 1.0


class Command(BaseCommand):
    help = "Carry out tasks until stopped. SIGTERM or Ctrl-C lets those under way finish; a second one does not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--threads", type=int, default=4, help="How many tasks at once (default: 4).")
        parser.add_argument("--interval", type=float, default=1.0, help="Seconds between looks at an empty queue.")
        parser.add_argument("--batch", action="store_true", help="Stop when nothing is left to do.")

    def handle(self, *args: Any, **options: Any) -> None:
        self._stopping = False
        # SQLite has one writer at a time: threads would only wait for each other.
        count = 1 if connection.vendor == "sqlite" else max(options["threads"], 1)
        self._workers = [self._worker(options) for _ in range(count)]
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        threads = [threading.Thread(target=self._work, args=[worker]) for worker in self._workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            # Short waits: a join without end would keep the signals from their handler.
            while thread.is_alive():
                thread.join(0.5)
        for number, handler in before.items():
            signal.signal(number, handler)

    def _worker(self, options: dict[str, Any]) -> Worker:
        return Worker(
            queue_names=[DEFAULT_TASK_QUEUE_NAME],
            interval=options["interval"],
            batch=options["batch"],
            backend_name=DEFAULT_TASK_BACKEND_ALIAS,
            startup_delay=False,
            max_tasks=None,
            worker_id=get_random_string(32),
            excluded_queue_names=[],
        )

    def _stop(self, *_: Any) -> None:
        # Nothing but plain flags: a handler that takes a lock can meet itself. The next signal ends the process.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        self._stopping = True
        for worker in self._workers:
            worker.running = False

    def _work(self, worker: Worker) -> None:
        while not self._stopping:
            try:
                worker.run()
            except Exception:
                logger.exception("worker stopped; it starts again in %s seconds", PAUSE_AFTER_TROUBLE_SECONDS)
                close_old_connections()
                time.sleep(PAUSE_AFTER_TROUBLE_SECONDS)
            else:
                break
        connection.close()
