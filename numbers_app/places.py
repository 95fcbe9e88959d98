"""States, provinces and territories of the US and Canada, and the area codes of each.

From the North American Numbering Plan as of 2026, codes that go into service that year included. Callcap spells a
state by its two letters. Area codes shared by two places (902 and 782, 867) stand at the larger one.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

TOLLFREE_CODES = ("800", "833", "844", "855", "866", "877", "888")

_TABLE = {
    "US": """
AL Alabama | 205 251 256 334 483 659 938
AK Alaska | 907
AZ Arizona | 480 520 602 623 928
AR Arkansas | 327 479 501 870
CA California | 209 213 279 310 323 341 350 357 369 408 415 424 442 510 530 559 562 619 626 628 650 657 661 669 707 \
714 738 747 760 805 818 820 831 837 840 858 909 916 925 949 951
CO Colorado | 303 719 720 748 970 983
CT Connecticut | 203 475 860 959
DE Delaware | 302
DC District of Columbia | 202 771
FL Florida | 239 305 321 324 352 386 407 448 561 645 656 689 727 728 754 772 786 813 850 863 904 941 954
GA Georgia | 229 404 470 478 565 678 706 762 770 912 943
HI Hawaii | 808
ID Idaho | 208 986
IL Illinois | 217 224 309 312 331 447 464 618 630 708 730 773 779 815 847 861 872
IN Indiana | 219 260 317 463 574 765 812 930
IA Iowa | 319 515 563 641 712
KS Kansas | 316 620 785 913
KY Kentucky | 270 364 502 606 859
LA Louisiana | 225 318 337 457 504 985
ME Maine | 207
MD Maryland | 227 240 301 410 443 667
MA Massachusetts | 339 351 413 508 617 774 781 857 978
MI Michigan | 231 248 269 313 517 586 616 679 734 810 906 947 989
MN Minnesota | 218 320 507 612 651 763 924 952
MS Mississippi | 228 471 601 662 769
MO Missouri | 235 314 417 557 573 636 660 816 975
MT Montana | 406
NE Nebraska | 308 402 531
NV Nevada | 702 725 775
NH New Hampshire | 603
NJ New Jersey | 201 551 609 640 732 848 856 862 908 973
NM New Mexico | 505 575
NY New York | 212 315 329 332 347 363 465 516 518 585 607 624 631 646 680 716 718 838 845 914 917 929 934
NC North Carolina | 252 336 472 704 743 828 910 919 980 984
ND North Dakota | 701
OH Ohio | 216 220 234 283 326 330 380 419 436 440 513 567 614 740 937
OK Oklahoma | 405 539 572 580 918
OR Oregon | 458 503 541 971
PA Pennsylvania | 215 223 267 272 412 445 484 570 582 610 717 724 814 835 878
RI Rhode Island | 401
SC South Carolina | 803 821 839 843 854 864
SD South Dakota | 605
TN Tennessee | 423 615 629 729 731 865 901 931
TX Texas | 210 214 254 281 325 346 361 409 430 432 469 512 621 682 713 726 737 806 817 830 832 903 915 936 940 945 \
956 972 979
UT Utah | 385 435 801
VT Vermont | 802
VA Virginia | 276 434 540 571 686 703 757 804 826 948
WA Washington | 206 253 360 425 509 564
WV West Virginia | 304 681
WI Wisconsin | 262 274 353 414 534 608 715 920
WY Wyoming | 307
AS American Samoa | 684
GU Guam | 671
MP Northern Mariana Islands | 670
PR Puerto Rico | 787 939
VI Virgin Islands | 340
""",
    "CA": """
AB Alberta | 368 403 587 780 825
BC British Columbia | 236 250 257 604 672 778
MB Manitoba | 204 431 584
NB New Brunswick | 428 506
NL Newfoundland and Labrador | 709 879
NS Nova Scotia | 782 902
NT Northwest Territories | 867
NU Nunavut |
ON Ontario | 226 249 289 343 365 382 416 437 519 548 613 647 683 705 742 753 807 905 942
PE Prince Edward Island |
QC Quebec | 263 273 354 367 418 438 450 468 514 579 581 819 873
SK Saskatchewan | 306 474 639
YT Yukon |
""",
}
# Each state with the first three digits of a ZIP from which on it is the one; a few ZIPs in between lie over a border.
_ZIPS = """
005 NY 006 PR 008 VI 009 PR 010 MA 028 RI 030 NH 039 ME 050 VT 060 CT 070 NJ 100 NY 150 PA 197 DE 200 DC 201 VA 202 DC
206 MD 220 VA 247 WV 270 NC 290 SC 300 GA 320 FL 350 AL 370 TN 386 MS 398 GA 400 KY 430 OH 460 IN 480 MI 500 IA 530 WI
550 MN 570 SD 580 ND 590 MT 600 IL 630 MO 660 KS 680 NE 700 LA 716 AR 730 OK 733 TX 734 OK 750 TX 800 CO 820 WY 832 ID
840 UT 850 AZ 870 NM 885 TX 889 NV 900 CA 967 HI 969 GU 970 OR 980 WA 995 AK
"""
# Each letter that Canadian postal codes start with, and its province.
_POSTAL_LETTERS = "A NL B NS C PE E NB G QC H QC J QC K ON L ON M ON N ON P ON R MB S SK T AB V BC X NT Y YT"
_OTHER_NAMES = {
    "washington dc": "DC",
    "washington d.c.": "DC",
    "d.c.": "DC",
    "us virgin islands": "VI",
    "newfoundland": "NL",
    "labrador": "NL",
    "pei": "PE",
    "québec": "QC",
}


@dataclass(frozen=True)
class State:
    """A state, province or territory: ``code`` is its two letters, ``country`` US or CA."""

    code: str
    name: str
    country: str


def _read_table() -> tuple[tuple[State, ...], dict[str, tuple[str, str]]]:
    states, codes = [], {}
    for country, lines in _TABLE.items():
        for row in lines.strip().splitlines():
            head, area_codes = row.split("|")
            state, name = head.strip().split(" ", 1)
            states.append(State(state, name, country))
            codes.update(dict.fromkeys(area_codes.split(), (country, state)))
    return tuple(states), codes


STATES, AREA_CODES = _read_table()
"""All states, provinces and territories; and each area code's (country, state)."""

_BY_NAME = {known: state.code for state in STATES for known in (state.code.lower(), state.name.lower())} | _OTHER_NAMES
_NAME_OF = {state.code: state.name for state in STATES}
_COUNTRY_OF = {state.code: state.country for state in STATES}
_ZIP_STARTS, _ZIP_STATES = _ZIPS.split()[::2], _ZIPS.split()[1::2]
_PROVINCE_OF = dict(zip(_POSTAL_LETTERS.split()[::2], _POSTAL_LETTERS.split()[1::2], strict=True))


def state_of(text: str) -> str | None:
    """The two letters of the state, province or territory that the text names, in any case; else None."""
    return _BY_NAME.get(" ".join(text.lower().split()))


def state_name(code: str) -> str:
    """``Kansas`` for ``KS``. Raises KeyError for letters that name no state."""
    return _NAME_OF[code]


def country_of(code: str) -> str:
    """``US`` or ``CA``, for a state's two letters. Raises KeyError for letters that name no state."""
    return _COUNTRY_OF[code]


def state_of_zip(code: str) -> str:
    """The two letters of the state or province where a ZIP or postal code most likely lies; empty when in none."""
    if not code.isdigit():
        return _PROVINCE_OF.get(code[:1].upper(), "")
    place = bisect_right(_ZIP_STARTS, code[:3])
    return _ZIP_STATES[place - 1] if place else ""


def neighbours_of(area_code: str) -> list[str]:
    """The other area codes of the same state, nearest in number first; none for one that is in no state."""
    place = AREA_CODES.get(area_code)
    same = [code for code, other in AREA_CODES.items() if other == place and code != area_code] if place else []
    return sorted(same, key=lambda code: (abs(int(code) - int(area_code)), code))
