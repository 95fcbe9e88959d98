"""`python -m sandbox COMMAND`: the sandbox's own manage.py."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
execute_from_command_line(["python -m sandbox", *sys.argv[1:]])
