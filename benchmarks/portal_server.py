"""The portal as it is served, by gunicorn with its own configuration, for clients that measure it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.browser.conftest import database_url
from tests.sandbox_server import ROOT, SandboxServer

START_SECONDS = 30


class PortalServer:
    """Two processes of four threads on the measured database, which ask the given sandbox."""

    def __init__(self, sandbox: SandboxServer, log: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "DATABASE_URL": database_url(),
            "MEASURED_CALLCAP_API_URL": sandbox.url,
            "PORT": str(port),
            "WEB_CONCURRENCY": "2",
        }
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "portal.wsgi"],
            cwd=ROOT,
            env=environment,
            stdout=self._log,
            stderr=self._log,
        )
        self._wait_until_answering()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()

    def _wait_until_answering(self) -> None:
        ends = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < ends:
            try:
                requests.get(f"{self.url}/healthz", timeout=5).raise_for_status()
            except requests.RequestException:
                time.sleep(0.05)
            else:
                return
        raise SystemExit("The portal did not start, so nothing is measured.")
