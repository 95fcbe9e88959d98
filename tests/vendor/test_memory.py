"""What an answer may cost: reading stops at the cap, and what would grow when it is parsed is not parsed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from numbers_app.callcap import SearchCriteria
from numbers_app.vendor import vendor_search
from tests.callcap.vendor import answer
from tests.sandbox_server import ROOT, SandboxServer

from .conftest import FOUND, Ask, success

pytestmark = pytest.mark.django_db

MEASURE = """
import re, sys
from pathlib import Path
from numbers_app.callcap import CallcapClient, CallcapUnreadable, SearchCriteria

def peak():
    # Not ru_maxrss, which starts as the parent's.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

client = CallcapClient(
    base_url=sys.argv[1], api_key=sys.argv[2], timeout=30, post_encoding="form", max_answer_bytes=5_000_000
)
client.search(SearchCriteria(area_code="316"))
before = peak()
print("ready", flush=True)
sys.stdin.readline()
try:
    client.search(SearchCriteria(area_code="316"))
except CallcapUnreadable:
    print(peak() - before)
"""


@contextmanager
def measured(url: str, key: str) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that has made an ordinary search and is about to make another."""
    with subprocess.Popen(
        [sys.executable, "-c", MEASURE, url, key],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        yield child


def growth(child: subprocess.Popen[str]) -> int:
    """By how many kilobytes the other search raised the peak of its memory."""
    return int(child.communicate("\n", timeout=60)[0])


@pytest.mark.parametrize("fault", ["huge", "gzip_bomb"])
def test_an_answer_of_100_mb_costs_less_than_20_mb(sandbox: SandboxServer, fault: str) -> None:
    with measured(sandbox.url, sandbox.api_key) as child:
        sandbox.arm_fault(fault, "search")
        assert 1_000 < growth(child) < 20_000, "kilobytes"


@pytest.mark.parametrize("item", ["{}", "[[[]]]", '{"number":[]}', "[" * 400 + "]" * 400])
def test_a_small_answer_that_would_grow_in_memory_costs_less_than_20_mb(callcap: Ask, item: str) -> None:
    items = ",".join([item] * (4_900_000 // (len(item) + 1)))
    to = callcap(FOUND, answer(f'{{"status":"success","numbers":[{items}]}}'))
    with measured(to.url, "key") as child:
        assert 1_000 < growth(child) < 20_000, "kilobytes"


def test_ten_thousand_numbers_of_a_few_objects_each_are_read(callcap: Ask) -> None:
    offers = [{"number": str(3160000000 + place), "place": {"city": "Wichita"}, "tags": []} for place in range(10_000)]
    callcap(success(numbers=offers))
    assert len(vendor_search(SearchCriteria(area_code="316")).answer.numbers) == 10_000
