"""Every page fits narrow and wide windows, light and dark, and is open to everybody."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, BatchKind, Order, OrderStatus, SampleScope, Source, User
from numbers_app.periods import Period
from numbers_app.services.batch_drafts import batch_from_file
from numbers_app.services.decisions import order_comment, order_mark_urgent
from numbers_app.services.orders import WantedNumber, order_amend
from numbers_app.services.samples import sample_draw
from numbers_app.services.switch import purchases_pause
from tests.factories import CampaignFactory
from tests.promises.wishes import CAKE, approved, changed, executed, requested
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.browser

ZOOMED = (320, 256)
PAGES = {
    "": ["/accounts/login/", "/accounts/password/reset/"],
    "rep": [
        "/",
        "/search/?vanity_text=cake",
        "/search/?area_code=31",
        "/search/?area_code=316&exchange=999",
        "/orders/new/?number=3167342253",
        "/orders/",
        "/orders/{order}/",
        "/orders/{order}/amend/",
        "/orders/{order}/availability/",
        "/orders/destination/?account=L-3&destination=3167342299",
        "/orders/unknown/",
        "/notifications/",
        "/numbers/",
        "/batches/",
        "/batches/new/",
        "/batches/new/?kind=purchase",
        "/batches/{draft}/preview/",
        "/batches/{draft}/preview/?state=refused",
        "/sending/",
    ],
    "manager": [
        "/",
        "/orders/",
        "/orders/upcoming/",
        "/orders/unknown/",
        "/orders/{order}/",
        "/orders/{order}/reject/",
        "/orders/{order}/amend/",
        "/orders/{unknown}/",
        "/orders/{unknown}/settle/",
        "/orders/{scheduled}/",
        "/orders/{change}/",
        "/orders/{change}/amend/",
        "/notifications/",
        "/sending/",
        "/numbers/first-steps/",
        "/numbers/3167342299/change/",
    ],
    "auditor": [
        "/",
        "/history/?number=3167342299",
        "/history/?number=12",
        "/history/?order=nonsense",
        "/history/1/",
        "/history/as-of/?account=L-3",
        "/history/as-of/?account=L-3&at=2026-11-26T18:42:12.464003Z",
        "/history/reports/",
        "/history/samples/",
        "/history/samples/{sample}/",
        "/history/evidence/",
        "/security/",
        "/numbers/",
        "/numbers/?brand=Prairie&stop_from=2026-01-01&q=cake",
        "/numbers/?status=lost&state=nowhere",
        "/numbers/media-types/",
        "/numbers/3167342299/",
        "/accounts/password/change/",
        "/search/",
        "/nowhere/",
    ],
}


def some_of_everything(people: dict[str, User], sandbox: SandboxServer) -> dict[str, int]:
    """Orders in every state that has a page of its own, with long words in them, while purchases are paused."""
    location = Account.objects.get(key="L-3")
    rep, manager = people["rep"], people["manager"]
    worker = Actor.portal("Worker", source=Source.WORKER)
    held = CampaignFactory(
        account=location,
        phone_number="3167342299",
        campaign_name="Wide " * 19,
        stop_date=timezone.now().date() + timedelta(days=3),
    )
    unknown = approved(rep, manager, location, sandbox.search(areaCode="316")[5]["phoneNumber"])
    sandbox.arm_fault("other_number", "provision")
    assert executed(worker, unknown).status == OrderStatus.UNKNOWN
    scheduled = approved(rep, manager, location, "3167342297")
    Order.objects.filter(pk=scheduled.pk).update(execute_after=timezone.now() + timedelta(days=3))
    order = requested(rep, location, CAKE, "3167342296", notes="Longword" * 25, campaign_name="Wide " * 19)
    order_amend(
        actor=Actor.person(rep),
        order_id=order.pk,
        revision=1,
        wanted=[WantedNumber(CAKE, "Wichita, KS", "316-734-CAKE"), WantedNumber("3167342296")],
        parameters=order.parameters | {"destination": held.phone_number, "memo1": "Longmemo" * 25},
        reason="Longreason" * 25,
        urgent=False,
        execute_after=timezone.now() + timedelta(days=3),
    )
    order_comment(actor=Actor.person(people["manager2"]), order_id=order.pk, text="Longcomment" * 20)
    order_mark_urgent(actor=Actor.person(rep), order_id=order.pk)
    change = changed(rep, held, destination="3165550100", notes="Longword" * 25)
    draft = batch_from_file(
        actor=Actor.person(rep),
        kind=BatchKind.CHANGE,
        filename="x" * 300 + ".csv",
        data=f"phone_number,account,notes\r\n{held.phone_number},,{'Longword' * 25}\r\n{'9' * 99},L-3,\r\n".encode(),
        title="Longtitle" * 20,
        form_token=uuid.uuid4(),
    )
    sample = sample_draw(
        actor=Actor.person(people["auditor"]),
        period=Period.latest(2),
        scope=SampleScope.EVERYTHING,
        size=5,
        seed="widths",
    )
    purchases_pause(actor=Actor.person(people["manager2"]), reason="Longpause" * 25)
    return {
        "order": order.pk,
        "unknown": unknown.pk,
        "scheduled": scheduled.pk,
        "change": change.pk,
        "sample": sample.pk,
        "draft": draft.pk,
    }


@pytest.mark.parametrize(
    ("size", "dark"),
    [((1280, 900), False), ((320, 640), True), (ZOOMED, False)],
    ids=["1280 light", "320 dark", "400% zoom"],
)
def test_every_page_fits_and_has_no_barrier(
    visit: Any, sandbox: SandboxServer, people: dict[str, User], settings: Any, size: tuple[int, int], dark: bool
) -> None:
    """Both widths and both colours: colours have nothing to do with what fits, nor widths with contrast."""
    settings.APPROVAL_UNDO_SECONDS = 0
    numbers = some_of_everything(people, sandbox)
    # The queue then has a notice to undo in it.
    settings.APPROVAL_UNDO_SECONDS = 300
    approved(people["rep"], people["manager"], Account.objects.get(key="L-3"), "3167342298")
    problems: list[str] = []
    for name, paths in PAGES.items():
        person = visit(name, width=size[0], height=size[1], dark=dark)
        person.expects("status of 403", "status of 404", "status of 422")
        for path in paths:
            person.open(path.format(**numbers))
            problems += person.small_targets()
            if size != ZOOMED:  # the same width and colours as one that is looked at
                problems += person.barriers()
            if person.sideways() > 0:
                problems.append(f"{path} is {person.sideways()} px too wide")
    assert problems == []
