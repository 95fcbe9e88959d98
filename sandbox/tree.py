"""The account tree: three fictional Corporates, their Divisions, and the Locations that hold numbers."""

from collections.abc import Iterator
from typing import NamedTuple

# The zones a Location can have in the vendor's pages, under the names that every machine knows.
TIME_ZONES = {
    "US/Hawaii": "Pacific/Honolulu",
    "US/Alaska": "America/Anchorage",
    "US/Pacific": "America/Los_Angeles",
    "US/Mountain": "America/Denver",
    "US/Central": "America/Chicago",
    "US/Eastern": "America/New_York",
    "Canada/Atlantic": "America/Halifax",
}

# Corporate: Division: Location / zone. Keys are counted in this order, so new rows go to the end.
TREE = """
Prairie Comfort Home Services
  Heating and Cooling
    Prairie Comfort Wichita / US/Central
    Prairie Comfort Topeka / US/Central
    Prairie Comfort Salina / US/Central
    Prairie Comfort Tulsa / US/Central
    Prairie Comfort Oklahoma City / US/Central
    Prairie Comfort Denver / US/Mountain
  Plumbing
    Blue Faucet Wichita / US/Central
    Blue Faucet Kansas City / US/Central
    Blue Faucet Omaha / US/Central
    Blue Faucet Phoenix / US/Mountain
    Blue Faucet Albuquerque / US/Mountain
  Roofing
    Highgable Roofing Wichita / US/Central
    Highgable Roofing Dallas / US/Central
    Highgable Roofing Austin / US/Central
    Highgable Roofing Springfield / US/Central
Larkspur Dental Group
  East
    Larkspur Dental Boston / US/Eastern
    Larkspur Dental Providence / US/Eastern
    Larkspur Dental Philadelphia / US/Eastern
    Larkspur Dental Richmond / US/Eastern
    Larkspur Dental Atlanta / US/Eastern
    Larkspur Dental Tampa / US/Eastern
  West
    Larkspur Dental Seattle / US/Pacific
    Larkspur Dental Tacoma / US/Pacific
    Larkspur Dental Portland / US/Pacific
    Larkspur Dental Sacramento / US/Pacific
    Larkspur Dental San Diego / US/Pacific
    Larkspur Dental Anchorage / US/Alaska
    Larkspur Dental Honolulu / US/Hawaii
  Orthodontics
    Straightline Orthodontics Denver / US/Mountain
    Straightline Orthodontics Boise / US/Mountain
    Straightline Orthodontics Salt Lake City / US/Mountain
Northgate Auto Care
  Canada
    Northgate Auto Halifax / Canada/Atlantic
    Northgate Auto Moncton / Canada/Atlantic
    Northgate Auto Toronto / US/Eastern
    Northgate Auto Winnipeg / US/Central
    Northgate Auto Calgary / US/Mountain
    Northgate Auto Vancouver / US/Pacific
  Great Lakes
    Northgate Auto Detroit / US/Eastern
    Northgate Auto Cleveland / US/Eastern
    Northgate Auto Chicago / US/Central
    Northgate Auto Milwaukee / US/Central
"""

KINDS = ("corporate", "division", "location")


class Node(NamedTuple):
    """One account of the tree; `time_zone` is the vendor's name of it, and empty above Locations."""

    key: str
    kind: str
    account_id: int
    name: str
    parent_key: str
    time_zone: str


def account_nodes() -> Iterator[Node]:
    """Every account, parents first, with keys C-1.., D-1.. and L-1.. counted within their kind."""
    counts = [0, 0, 0]
    for line in TREE.strip().splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name, _, time_zone = line.strip().partition(" / ")
        counts[depth] += 1
        parent = f"{'CDL'[depth - 1]}-{counts[depth - 1]}" if depth else ""
        yield Node(f"{'CDL'[depth]}-{counts[depth]}", KINDS[depth], counts[depth], name, parent, time_zone)
