"""Finding available numbers by the vendor's documented search parameters."""

import re

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Lookup, Q, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from sandbox.answers import VendorError
from sandbox.models import Account, Number, Place
from sandbox.parameters import Params, digits, flag, ten_digits

PLACE_FIELDS = {"state": "state", "city": "city", "rateCenter": "rate_center", "zipcode": "zipcode"}
LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz*#", "22233344455566677778889999??")
CRITERIA = ("areaCode", "exchange", "line", "country", *PLACE_FIELDS, "vanityText", "fullNumber")


@CharField.register_lookup
class Glob(Lookup):
    """SQLite's GLOB, in which `?` is any one character and `*` any text."""

    lookup_name = "glob"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        """`left GLOB right`."""
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} GLOB {right}", (*left_params, *right_params)


def location(params: Params) -> Account | None:
    """The Location that `locationID` or `account` names, or None when neither was sent."""
    by_id, key = params.get("locationID", "").strip(), params.get("account", "").strip().upper()
    if not by_id and not key:
        return None
    wanted = key or f"L-{by_id}"
    if by_id and wanted != f"L-{by_id}":
        raise VendorError("locationID and account name different locations.")
    found = Account.objects.filter(key=wanted, kind="location").first()
    if found is None:
        name = "account" if key else "locationID"
        raise VendorError(f"{name} must be a valid Callcap location.")
    return found


def matching_numbers(params: Params, *, stale: bool = False) -> QuerySet[Number]:
    """The numbers that can be bought and match, in the order of their digits; if stale, those that once could."""
    found = Number.objects.filter(_pools(params), _types(params))
    found = _by_digits(found if stale else found.filter(taken=False), params)
    places = _places(params)
    if places is not None:
        found = found.filter(place__in=places)
    return found.order_by("number")


def search(params: Params, *, stale: bool = False) -> list[dict[str, str]]:
    """The answer of a search: one object per number, up to the result cap."""
    rows = matching_numbers(params, stale=stale).select_related("place")[: settings.SANDBOX_RESULT_CAP]
    return [describe(row) for row in rows]


def describe(row: Number) -> dict[str, str]:
    """A number as the vendor shows it; a toll-free one has no place."""
    place = row.place
    return {
        "phoneNumber": row.number,
        "type": "local" if place else "tollfree",
        "pool": "reserved" if row.reserved_for_id else "public",
        "country": place.country if place else "",
        "state": place.state if place else "",
        "city": place.city if place else "",
        "rateCenter": place.rate_center if place else "",
        "zipcode": place.zipcode if place else "",
    }


def _pools(params: Params) -> Q:
    account = location(params)
    reserved = flag(params, "showReservedPool")
    public = flag(params, "showPublicPool")
    if public is None:
        public = not reserved
    if reserved and account is None:
        raise VendorError("showReservedPool needs locationID or account.")
    pools = Q(pk__in=[])
    if public:
        pools |= Q(reserved_for=None)
    if reserved:
        pools |= Q(reserved_for=account)
    return pools


def _types(params: Params) -> Q:
    toll_free, local = flag(params, "showTollfree"), flag(params, "showLocal")
    if toll_free is None and local is None:
        return Q()
    show_toll_free = not local if toll_free is None else toll_free
    show_local = not toll_free if local is None else local
    if show_toll_free and show_local:
        return Q()
    if show_toll_free or show_local:
        return Q(place__isnull=show_toll_free)
    return Q(pk__in=[])


def _by_digits(found: QuerySet[Number], params: Params) -> QuerySet[Number]:
    area_code, exchange = digits(params, "areaCode", 3), digits(params, "exchange", 3)
    line = digits(params, "line", 4)
    if area_code:
        prefix = area_code + exchange
        found = found.filter(number__gte=prefix, number__lt=f"{prefix}:")  # ":" is what follows "9"
    if exchange or line:
        found = found.filter(number__glob=f"???{exchange or '???'}{line or '????'}")
    if pattern := _vanity_pattern(params.get("vanityText", "")):
        found = found.filter(number__glob=pattern)
    if full_number := params.get("fullNumber", "").strip():
        wanted = ten_digits(full_number)
        if not wanted:
            raise VendorError("fullNumber must be a ten-digit number.")
        found = found.filter(number=wanted)
    return found


def _vanity_pattern(text: str) -> str:
    wanted = re.sub(r"[\s().-]", "", text)
    if not wanted:
        return ""
    if not re.fullmatch(r"[A-Za-z0-9*#]+", wanted):
        raise VendorError("vanityText may hold letters, digits and the wildcards * and #.")
    if len(wanted) > 10:
        raise VendorError("vanityText may be at most ten characters long.")
    return f"*{wanted.lower().translate(LETTERS)}*"


def _places(params: Params) -> list[int] | None:
    wanted = {
        column: text.casefold() for name, column in PLACE_FIELDS.items() if (text := params.get(name, "").strip())
    }
    if country := params.get("country", "").strip():
        if country.upper() not in {"US", "CA"}:
            raise VendorError("country must be US or CA.")
        wanted["country"] = country.casefold()
    if not wanted:
        return None
    return [
        place.pk
        for place in Place.objects.all()
        if all(getattr(place, column).casefold() == text for column, text in wanted.items())
    ]
