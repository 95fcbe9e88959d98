"""Gunicorn's settings; ``gunicorn portal.wsgi`` reads this file by itself.

PORT and WEB_CONCURRENCY come from the environment.
"""

import gc
import os
from typing import Any

bind = f"{os.environ.get('BIND_ADDRESS', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
# A wrong setting is then one sentence from the master, not a worker that is started again and again.
preload_app = True
# Longer than the longest page: one vendor call with its total deadline.
timeout = 60
graceful_timeout = 30
max_requests = 5000
max_requests_jitter = 500
# Its socket would lie in the user's home directory, one for all portals of that user.
control_socket_disable = True


def when_ready(server: Any) -> None:
    """What is loaded by now stays: to look through it for garbage would hold up requests, and unshare its memory.

    A search makes thousands of objects that go by themselves, so garbage is looked for less often than Python would.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
