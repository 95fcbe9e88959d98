"""Gunicorn's settings; ``gunicorn portal.wsgi`` reads this file by itself.

PORT and WEB_CONCURRENCY come from the environment.
"""

import os

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
