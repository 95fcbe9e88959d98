"""docker-compose.yml as a container engine reads it, with its variables filled in."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent

# ${NAME}, ${NAME:-default} or ${NAME:?what to do}; $$ stands for one dollar sign.
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<word>[^}]*))?\})")


class MissingVariable(ValueError):
    """A required variable is not set; the message is the file's own sentence."""


def interpolate(value: Any, variables: Mapping[str, str]) -> Any:
    """Fills the variables into every text of the parsed file."""
    if isinstance(value, dict):
        return {key: interpolate(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolate(item, variables) for item in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _fill(match, variables), value)
    return value


def _fill(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["dollar"]:
        return "$"
    value = variables.get(match["name"], "")
    if value or match["kind"] is None:
        return value
    if match["kind"] == "?":
        raise MissingVariable(f"{match['name']}: {match['word']}")
    return match["word"]


def read_services(variables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The services with their variables filled in; a required variable that is missing is an error."""
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services: dict[str, dict[str, Any]] = interpolate(document["services"], variables)
    return services


def environment_of(service: Mapping[str, Any]) -> dict[str, str]:
    """The variables that the service's containers get."""
    environment = service.get("environment", {})
    assert all(isinstance(value, str) for value in environment.values()), "quote on, off and numbers in the file"
    return dict(environment)
