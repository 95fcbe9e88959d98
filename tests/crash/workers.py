"""Real worker and clock processes on the test's own database, ended by their own hand, by the test, or at its end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from tests.commands.processes import ROOT, database_url

# The shortest that the settings allow: a worker that is never answered is free again soon.
CALL_SECONDS = 1
# On PostgreSQL; on SQLite a worker has one thread whatever it is told.
THREADS = 2
# Ends a process that does not end by itself when asked to.
PATIENCE_SECONDS = 30


def portal_environment(callcap_url: str) -> dict[str, str]:
    """The portal's own settings, on the database, the vendor, the times and the remembered head of this test."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database_url(),
        "CALLCAP_API_URL": callcap_url,
        "CALLCAP_API_KEY": "sandbox-key",
        "CALLCAP_TIMEOUT": str(CALL_SECONDS),
        "CALLCAP_SETTLE_SECONDS": str(settings.CALLCAP_SETTLE_SECONDS),
        "CALLCAP_MAX_ANSWER_BYTES": "200000",
        "HISTORY_HEAD_FILE": str(settings.HISTORY_HEAD_FILE),
    }


@dataclass
class Worker:
    """One worker process. ``name`` is its id in the task queue, which says what it had in hand when it died."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still until ``thaw``."""
        return self.is_alive and Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    @property
    def was_killed(self) -> bool:
        return self.process.poll() == -signal.SIGKILL


class Crew:
    """The processes of one test. Everything they say is in ``log``."""

    def __init__(self, directory: Path, callcap_url: str) -> None:
        self.log = directory / "processes.log"
        self.workers: list[Worker] = []
        self._callcap_url = callcap_url
        self._clocks: list[subprocess.Popen[bytes]] = []

    def start_worker(self, *how_it_dies: str) -> Worker:
        """A worker, told on its command line where to die; see ``worker.py``."""
        name = f"worker-{len(self.workers) + 1}"
        script = str(Path(__file__).with_name("worker.py"))
        options = ["--interval", "0.1", "--threads", str(THREADS)]
        worker = Worker(name, self._run(script, *how_it_dies, "--name", name, "--", *options))
        self.workers.append(worker)
        return worker

    def start_clock(self) -> None:
        """``manage.py clock``, as production runs it."""
        self._clocks.append(self._run("manage.py", "clock"))

    @property
    def alive(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.is_alive]

    @property
    def killed(self) -> int:
        """How many were killed, by themselves or by the test; not those that ended otherwise."""
        return sum(worker.was_killed for worker in self.workers)

    def kill_one(self, dice: random.Random) -> None:
        """Kill any worker at a moment that is none of its steps, such as while it takes a task."""
        if self.alive:
            dice.choice(self.alive).process.kill()

    def dismiss_workers(self) -> None:
        """Let the workers finish what they have in hand, and end."""
        self._end([worker.process for worker in self.alive])

    def dismiss(self) -> None:
        """End every process that is left."""
        self._end([process for process in self._clocks if process.poll() is None])
        self.dismiss_workers()

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        environment = portal_environment(self._callcap_url)
        with self.log.open("ab") as log:
            return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stdout=log, stderr=log)

    def _end(self, processes: list[subprocess.Popen[bytes]]) -> None:
        for process in processes:
            process.terminate()
            process.send_signal(signal.SIGCONT)
        for process in processes:
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
