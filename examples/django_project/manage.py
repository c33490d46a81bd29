"""A bot on Django: ``python examples/django_project/manage.py runserver``."""

import os
import sys

from django.core.management import execute_from_command_line
from django.core.management.commands.runserver import Command

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    Command.default_addr = os.environ.get("HOST", "127.0.0.1")
    Command.default_port = os.environ.get("PORT", "8000")
    execute_from_command_line(sys.argv)
