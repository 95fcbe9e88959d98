"""``manage.py worker`` in a process that ends itself, as a power cut would, where the command line says.

``python tests/crash/worker.py --kill-at "intent written" --after 3 -- --interval 0.1``: what follows ``--`` goes to
``manage.py worker``. Nothing that is installed in production leads here: only code can set ``steps.listener``.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST_CALL = 1.0
OUTCOME_NOT_KNOWN = ("intent written", "answered", "recording")

type Listener = Callable[[str], None]


def die() -> None:
    """No handler, no rollback, no goodbye."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_in(seconds: float) -> None:
    """Die in the middle of whatever the process does then."""
    timer = threading.Timer(seconds, die)
    timer.daemon = True
    timer.start()


def killed_at(step: str, after: int) -> Listener:
    """Dies when the step is reached for the ``after``-th time."""
    reached = 0

    def listen(name: str) -> None:
        nonlocal reached
        reached += name == step
        if reached == after:
            die()

    return listen


def frozen_at(step: str) -> Listener:
    """Stands still when the step is reached first, as a machine that sleeps, until somebody sends SIGCONT."""
    frozen = False

    def listen(name: str) -> None:
        nonlocal frozen
        if name == step and not frozen:
            frozen = True
            os.kill(os.getpid(), signal.SIGSTOP)
            # The signal may reach another thread first; this one must not take a step until it is stopped as well.
            time.sleep(0.2)

    return listen


def killed_in_call(seconds: float) -> Listener:
    """Dies ``seconds`` after an intent was written, while the vendor is being asked."""

    def listen(name: str) -> None:
        if name == "intent written":
            die_in(seconds)

    return listen


def killed_at_random(chance: float, seed: str) -> Listener:
    """Dies with that probability wherever nobody knows the outcome then, and in the middle of a call.

    At other steps, where a death only costs time, it is rarer: each death costs the time to start another process.
    """
    dice = random.Random(seed)

    def listen(name: str) -> None:
        if dice.random() < (chance if name in OUTCOME_NOT_KNOWN else chance / 5):
            die()
        if name == "intent written" and dice.random() < chance:
            die_in(dice.uniform(0, LONGEST_CALL))

    return listen


def listener_of(arguments: argparse.Namespace) -> Listener | None:
    if arguments.kill_at:
        return killed_at(arguments.kill_at, arguments.after)
    if arguments.freeze_at:
        return frozen_at(arguments.freeze_at)
    if arguments.kill_in_call is not None:
        return killed_in_call(arguments.kill_in_call)
    if arguments.random_kill:
        return killed_at_random(arguments.random_kill, arguments.seed)
    return None


def main() -> None:
    sys.path.insert(0, str(ROOT))
    from numbers_app import steps

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kill-at", choices=steps.STEPS)
    parser.add_argument("--after", type=int, default=1)
    parser.add_argument("--freeze-at", choices=steps.STEPS)
    parser.add_argument("--kill-in-call", type=float, metavar="SECONDS")
    parser.add_argument("--random-kill", type=float, metavar="CHANCE")
    parser.add_argument("--seed", default="")
    parser.add_argument("--name", default="worker", help="Its id in the task queue, by which a test knows it.")
    parser.add_argument("options", nargs="*")
    arguments = parser.parse_args()
    steps.listener = listener_of(arguments)

    import django
    from django.core.management import execute_from_command_line

    django.setup()
    from numbers_app.management.commands import worker

    worker.get_random_string = lambda length: arguments.name
    execute_from_command_line(["manage.py", "worker", *arguments.options])


if __name__ == "__main__":
    main()
