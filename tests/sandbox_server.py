"""A running sandbox for tests: real gunicorn, a real database file, real HTTP."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
NUMBERS = 6_000
START_SECONDS = 30
GUNICORN = [
    "sandbox.wsgi",
    "--workers",
    "1",
    "--threads",
    "8",
    "--graceful-timeout",
    "2",
    "--no-control-socket",
]


class SandboxServer:
    """The sandbox in a process of its own, over a database below `directory`.

    The operating system chooses the port on the first start; a later start takes the same one, so that a
    test can let the vendor go away and come back. `environment` adds variables such as SANDBOX_RESULT_CAP.
    """

    api_key = "sandbox-key"

    def __init__(self, directory: Path, *, numbers: int = NUMBERS, environment: dict[str, str] | None = None) -> None:
        self.database = directory / "sandbox.sqlite3"
        self.log = directory / "sandbox.log"
        self.numbers = numbers
        self.port = 0
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._session = requests.Session()
        self._session.trust_env = False

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Prepare the database unless it is there, and serve until `stop`."""
        environment = self._subprocess_environment()
        prepare = [sys.executable, "-m", "sandbox", "prepare", "--numbers", str(self.numbers)]
        subprocess.run(prepare, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        # The child inherits the listening socket, so nobody can take the port in between.
        with socket.create_server(("127.0.0.1", self.port)) as listener, self.log.open("ab") as log:
            # gunicorn does this for sockets of its own; without it each answer waits 40 ms for an acknowledgement.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.port = listener.getsockname()[1]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *GUNICORN, "--bind", f"fd://{listener.fileno()}"],
                cwd=self.database.parent,  # in the root gunicorn would read the portal's configuration
                env=environment,
                pass_fds=[listener.fileno()],
                stdout=log,
                stderr=log,
            )
        self._wait_until_answering()

    def stop(self) -> None:
        """End the server; the database stays."""
        self._session.close()
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def arm_fault(self, kind: str, on: str = "any", **options: float | str) -> None:
        """Let the next call meet a fault; `on` names the endpoint.

        Options are those of the control API: times, rate, seconds, number, retry_after.
        """
        self._post("/control/faults/", {"kind": kind, "on": on, **options})

    def armed_faults(self) -> list[dict[str, Any]]:
        """The faults that can still strike."""
        return list(self._get("/control/faults/")["faults"])

    def kinds(self) -> dict[str, dict[str, Any]]:
        """Every kind of fault by its name: "summary", "on" (endpoints) and "commits" ("no", "yes" or "late")."""
        return dict(self._get("/control/faults/")["kinds"])

    def clear_faults(self) -> None:
        """Disarm all faults."""
        self._session.delete(f"{self.url}/control/faults/", timeout=10).raise_for_status()

    def journal(self, *, number: str = "", kind: str = "") -> list[dict[str, Any]]:
        """The committed purchases and updates, oldest first; kind is "purchase" or "update"."""
        return list(self._get("/journal.json", number=number, kind=kind)["entries"])

    def purchases(self, number: str = "") -> list[dict[str, Any]]:
        """The committed purchases, of one number if it is named."""
        return self.journal(number=number, kind="purchase")

    def sold(self, number: str) -> bool:
        """Whether the number was bought through the API."""
        return bool(self.purchases(number))

    def take(self, number: str) -> None:
        """Let a rival buy the number."""
        self._post("/control/take/", {"number": number})

    def reset(self) -> None:
        """Return every number to unsold; forget the journal, all faults, and what is late or held."""
        self._post("/control/reset/", {})

    def search(self, **params: str) -> list[dict[str, str]]:
        """The numbers that a search finds, by the vendor's parameter names."""
        return list(self._get("/v3/numbers/", **params)["numbers"])

    def _get(self, path: str, **params: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.api_key}"}
        response = self._session.get(self.url + path, params=params, headers=headers, timeout=30)
        response.raise_for_status()
        return dict(response.json())

    def _post(self, path: str, body: dict[str, Any]) -> None:
        response = self._session.post(self.url + path, json=body, timeout=30)
        if not response.ok:
            raise AssertionError(f"The sandbox refused {path}: {response.text}")

    def _subprocess_environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SANDBOX_")}
        kept |= {"SANDBOX_DATABASE": str(self.database), "SANDBOX_API_KEYS": self.api_key}
        kept |= {"DJANGO_SETTINGS_MODULE": "sandbox.settings", "PYTHONPATH": str(ROOT)}
        return kept | self._environment

    def _wait_until_answering(self) -> None:
        process = self._process
        deadline = time.monotonic() + START_SECONDS
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            try:
                self._get("/control/faults/")
            except requests.RequestException:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"The sandbox did not start:\n{self.log.read_text()}")
