"""Named steps of carrying an order to the vendor, at which tests can end the process.

Nothing but code can listen: no setting, no variable of the environment.
"""

from collections.abc import Callable

STEPS = ("picked up", "searched", "looked", "intent written", "answered", "recording", "recorded")

listener: Callable[[str], None] | None = None


def reached(step: str) -> None:
    """Say that a step was reached, to a test that listens."""
    if listener is not None:
        listener(step)
