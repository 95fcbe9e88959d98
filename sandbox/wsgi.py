"""The sandbox under gunicorn: `gunicorn sandbox.wsgi --bind 127.0.0.1:8100 --workers 1 --threads 8`."""

import os
import sys

from django.core.wsgi import get_wsgi_application
from django.db import connection

from sandbox.database import database_path, is_prepared

# Set, not defaulted: the sandbox must not take over the settings of a project that it is started beside.
os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
application = get_wsgi_application()

prepared = is_prepared()
connection.close()  # gunicorn may fork after this, and SQLite must not be carried into another process
if not prepared:
    sys.stderr.write(f"The sandbox database {database_path()} is not prepared. Run: python -m sandbox prepare\n")
    sys.exit(4)  # gunicorn takes this for an application that cannot be loaded, and does not try again
