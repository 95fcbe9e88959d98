"""The services of docker-compose.yml without a container engine: same commands, local addresses."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import requests

from .compose_file import ROOT, environment_of, read_services

PATIENCE_SECONDS = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Deployment:
    """One database of its own on the PostgreSQL server at ``server_url``, and the processes on it."""

    def __init__(self, server_url: str, directory: Path, variables: Mapping[str, str]) -> None:
        self.variables = dict(variables)
        self.services = read_services(self.variables)
        self.directory = directory
        self.server_url = server_url
        self.web_port, self.sandbox_port = free_port(), free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    # --- the database ---
    @property
    def database(self) -> dict[str, str]:
        return environment_of(self.services["db"])

    def create_database(self) -> None:
        """What PostgreSQL's image does on its first start, and then the script mounted into it."""
        owner, name, password = (self.database[f"POSTGRES_{word}"] for word in ("USER", "DB", "PASSWORD"))
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(
                psycopg.sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(
                    psycopg.sql.Identifier(owner), psycopg.sql.Literal(password)
                )
            )
            connection.execute(
                psycopg.sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    psycopg.sql.Identifier(name), psycopg.sql.Identifier(owner)
                )
            )
        server = urlsplit(self.server_url)
        script = next(volume.split(":")[0] for volume in self.services["db"]["volumes"] if "initdb.d" in volume)
        environment = {
            **self.database,
            "PATH": os.environ["PATH"],
            "PGHOST": server.hostname or "localhost",
            "PGPORT": str(server.port or 5432),
            "PGPASSWORD": password,
        }
        subprocess.run([ROOT / script], env=environment, check=True)

    def connect_as_portal(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.environment("web")["DATABASE_URL"], autocommit=True)

    def drop_database(self) -> None:
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            drop = psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(drop.format(psycopg.sql.Identifier(self.database["POSTGRES_DB"])))
            for variable in ("PORTAL_DATABASE_USER", "POSTGRES_USER"):
                role = psycopg.sql.Identifier(self.database[variable])
                connection.execute(psycopg.sql.SQL("DROP ROLE IF EXISTS {}").format(role))

    # --- the processes ---
    def localized(self, text: str) -> str:
        """The text with the containers' addresses and volume replaced by those of this machine."""
        server = urlsplit(self.server_url)
        for theirs, ours in (
            ("@db:5432/", f"@{server.hostname}:{server.port or 5432}/"),
            ("http://sandbox:8100", f"http://127.0.0.1:{self.sandbox_port}"),
            ("0.0.0.0:8100", f"127.0.0.1:{self.sandbox_port}"),
            ("127.0.0.1:8000", f"127.0.0.1:{self.web_port}"),
            ("/data/", f"{self.directory}/"),
        ):
            text = text.replace(theirs, ours)
        return text

    def environment(self, service: str) -> dict[str, str]:
        """The service's variables and the image's, and nothing of the tests' own environment."""
        image = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.directory),
            "BIND_ADDRESS": "127.0.0.1",
            "PORT": str(self.web_port),
            "GUNICORN_CMD_ARGS": "--no-control-socket",
        }
        ours = environment_of(self.services[service])
        return image | {name: self.localized(value) for name, value in ours.items()}

    def log(self, service: str) -> str:
        return (self.directory / f"{service}.log").read_text(errors="replace")

    def start(self, service: str, command: list[str] | None = None) -> subprocess.Popen[bytes]:
        """Starts the service's command, or another one in the service's environment."""
        words = [self.localized(word) for word in command or self.services[service]["command"]]
        with (self.directory / f"{service}.log").open("ab") as log:
            # Popen looks the program up on the PATH of this process; `env` does on the one it is given.
            process = subprocess.Popen(
                ["/usr/bin/env", *words], cwd=ROOT, env=self.environment(service), stdout=log, stderr=log
            )
        self.processes[service] = process
        return process

    def run(self, service: str, command: list[str] | None = None) -> str:
        """Runs a command to its end, which must be a good one, and returns what was logged."""
        status = self.start(service, command).wait(PATIENCE_SECONDS)
        assert status == 0, f"{service} ended with status {status}:\n{self.log(service)}"
        return self.log(service)

    def wait_for(self, service: str, ready: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            assert self.processes[service].poll() is None, f"{service} ended:\n{self.log(service)}"
            if ready():
                return
            time.sleep(0.2)
        raise AssertionError(f"{service} was not ready in {PATIENCE_SECONDS} s:\n{self.log(service)}")

    def stop(self, service: str) -> int:
        """Ends the service as a container engine does, and returns its exit status."""
        process = self.processes[service]
        process.terminate()
        return process.wait(60)

    def stop_all(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def answers(url: str) -> bool:
    """Whether a 200 comes from there."""
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False
