"""What a served portal is measured with: the tests' settings, but connections to the database stay open."""

import os

from tests.settings import *  # noqa: F403

# The tests' settings name a Callcap of their own.
CALLCAP_API_URL = os.environ["MEASURED_CALLCAP_API_URL"]
DATABASES["default"]["CONN_MAX_AGE"] = 60  # noqa: F405
