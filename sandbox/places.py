"""Real area codes with a few of their cities, each with its rate center and postal codes.

One line per area code: code, state or province, then cities as `City, RATE CENTER, postal code; postal code`.
The rows only need to agree with each other: they are what a search by place is tried out on.
"""

from dataclasses import dataclass

CANADIAN_PROVINCES = frozenset({"AB", "BC", "MB", "NB", "NL", "NS", "ON", "QC", "SK"})
TOLL_FREE_CODES = ("800", "833", "844", "855", "866", "877", "888")

TABLE = """
201 NJ | Jersey City, JERSEY CITY, 07302; 07306 | Hackensack, HACKENSACK, 07601 | Bayonne, BAYONNE, 07002
202 DC | Washington, WASHINGTON ZONE 1, 20001; 20005; 20009; 20036
203 CT | New Haven, NEW HAVEN, 06510; 06511 | Stamford, STAMFORD, 06901 | Bridgeport, BRIDGEPORT, 06604
204 MB | Winnipeg, WINNIPEG, R3C 0A1; R2H 1L3 | Brandon, BRANDON, R7A 0K8
205 AL | Birmingham, BIRMINGHAM, 35203; 35209 | Tuscaloosa, TUSCALOOSA, 35401
206 WA | Seattle, SEATTLE, 98101; 98109; 98122
207 ME | Portland, PORTLAND, 04101 | Bangor, BANGOR, 04401 | Augusta, AUGUSTA, 04330
208 ID | Boise, BOISE, 83702; 83704 | Idaho Falls, IDAHO FALLS, 83402 | Twin Falls, TWIN FALLS, 83301
210 TX | San Antonio, SAN ANTONIO, 78205; 78209; 78216
212 NY | New York, NEW YORK CITY ZONE 1, 10001; 10011; 10016; 10022
213 CA | Los Angeles, LOS ANGELES DA 01, 90012; 90014; 90017
214 TX | Dallas, DALLAS, 75201; 75204; 75219
215 PA | Philadelphia, PHILADELPHIA ZONE 1, 19102; 19103; 19106
216 OH | Cleveland, CLEVELAND, 44113; 44114; 44115
217 IL | Springfield, SPRINGFIELD, 62701; 62704 | Champaign, CHAMPAIGN URBANA, 61820 | Decatur, DECATUR, 62521
250 BC | Victoria, VICTORIA, V8W 1N8; V8V 3K3 | Kelowna, KELOWNA, V1Y 6N2
253 WA | Tacoma, TACOMA, 98402; 98405 | Kent, KENT, 98032
303 CO | Denver, DENVER, 80202; 80203; 80206 | Boulder, BOULDER, 80302 | Littleton, LITTLETON, 80120
304 WV | Charleston, CHARLESTON, 25301 | Morgantown, MORGANTOWN, 26505 | Huntington, HUNTINGTON, 25701
305 FL | Miami, MIAMI, 33130; 33131; 33137 | Key West, KEY WEST, 33040
306 SK | Regina, REGINA, S4P 3Y2; S4S 0A2 | Saskatoon, SASKATOON, S7K 0J5
307 WY | Cheyenne, CHEYENNE, 82001 | Casper, CASPER, 82601 | Laramie, LARAMIE, 82070
308 NE | Grand Island, GRAND ISLAND, 68801 | North Platte, NORTH PLATTE, 69101 | Kearney, KEARNEY, 68847
312 IL | Chicago, CHICAGO ZONE 01, 60601; 60602; 60606; 60611
313 MI | Detroit, DETROIT ZONE 1, 48201; 48226 | Dearborn, DEARBORN, 48126
314 MO | Saint Louis, LADUE, 63101; 63103; 63108
316 KS | Wichita, WICHITA DOWNTOWN, 67202; 67203; 67211; 67214 | Derby, DERBY, 67037 | Newton, NEWTON, 67114
317 IN | Indianapolis, INDIANAPOLIS, 46204; 46202; 46220 | Fishers, FISHERS, 46038
319 IA | Cedar Rapids, CEDAR RAPIDS, 52401; 52402 | Iowa City, IOWA CITY, 52240 | Waterloo, WATERLOO, 50701
334 AL | Montgomery, MONTGOMERY, 36104 | Auburn, AUBURN, 36830 | Dothan, DOTHAN, 36301
401 RI | Providence, PROVIDENCE, 02903; 02906 | Newport, NEWPORT, 02840 | Warwick, WARWICK, 02886
402 NE | Omaha, OMAHA, 68102; 68114 | Lincoln, LINCOLN, 68508; 68510
403 AB | Calgary, CALGARY, T2P 1J9; T2R 0A1; T3A 2G6 | Lethbridge, LETHBRIDGE, T1J 0P6
404 GA | Atlanta, ATLANTA, 30303; 30308; 30309
405 OK | Oklahoma City, OKLAHOMA CITY, 73102; 73118 | Norman, NORMAN, 73069 | Edmond, EDMOND, 73034
406 MT | Billings, BILLINGS, 59101 | Missoula, MISSOULA, 59801 | Bozeman, BOZEMAN, 59715
407 FL | Orlando, ORLANDO, 32801; 32803 | Kissimmee, KISSIMMEE, 34741
408 CA | San Jose, SAN JOSE NORTH, 95110; 95112 | Sunnyvale, SUNNYVALE, 94086
412 PA | Pittsburgh, PITTSBURGH ZONE 1, 15219; 15222
414 WI | Milwaukee, MILWAUKEE, 53202; 53203 | West Allis, WEST ALLIS, 53214
415 CA | San Francisco, SAN FRANCISCO CENTRAL, 94102; 94105; 94110 | San Rafael, SAN RAFAEL, 94901
416 ON | Toronto, TORONTO, M5H 2N2; M4W 1A8; M5V 2T6
417 MO | Springfield, SPRINGFIELD, 65806; 65807 | Joplin, JOPLIN, 64801 | Branson, BRANSON, 65616
418 QC | Quebec, QUEBEC, G1R 4S9; G1K 3X2 | Saguenay, CHICOUTIMI, G7H 1Z6
419 OH | Toledo, TOLEDO, 43604; 43606 | Lima, LIMA, 45801
423 TN | Chattanooga, CHATTANOOGA, 37402; 37405 | Johnson City, JOHNSON CITY, 37601
480 AZ | Scottsdale, PHOENIX, 85251; 85254 | Tempe, PHOENIX, 85281 | Mesa, PHOENIX, 85201
501 AR | Little Rock, LITTLE ROCK, 72201; 72205 | Conway, CONWAY, 72032
502 KY | Louisville, LOUISVILLE, 40202; 40204 | Frankfort, FRANKFORT, 40601
503 OR | Portland, PORTLAND, 97201; 97205; 97209 | Salem, SALEM, 97301
504 LA | New Orleans, NEW ORLEANS, 70112; 70115; 70130 | Kenner, KENNER, 70062
505 NM | Albuquerque, ALBUQUERQUE, 87102; 87106 | Santa Fe, SANTA FE, 87501
506 NB | Moncton, MONCTON, E1C 1E9 | Fredericton, FREDERICTON, E3B 1B5 | Saint John, SAINT JOHN, E2L 2B4
512 TX | Austin, AUSTIN, 78701; 78704; 78745 | Round Rock, ROUND ROCK, 78664
513 OH | Cincinnati, CINCINNATI, 45202; 45208 | Hamilton, HAMILTON, 45011
514 QC | Montreal, MONTREAL, H2Y 1C6; H3A 1A1; H3B 2Y5
515 IA | Des Moines, DES MOINES, 50309; 50312 | Ames, AMES, 50010
517 MI | Lansing, LANSING, 48933 | Jackson, JACKSON, 49201
519 ON | London, LONDON, N6A 3N7; N6B 1W6 | Windsor, WINDSOR, N9A 5K3 | Kitchener, KITCHENER, N2G 1C5
520 AZ | Tucson, TUCSON, 85701; 85719 | Nogales, NOGALES, 85621
601 MS | Jackson, JACKSON, 39201; 39211 | Hattiesburg, HATTIESBURG, 39401
602 AZ | Phoenix, PHOENIX, 85003; 85004; 85016
603 NH | Manchester, MANCHESTER, 03101 | Concord, CONCORD, 03301 | Nashua, NASHUA, 03060
604 BC | Vancouver, VANCOUVER, V6B 1A1; V5K 0A1; V6E 2M6 | Surrey, NEWTON, V3T 1V8
605 SD | Sioux Falls, SIOUX FALLS, 57104; 57105 | Rapid City, RAPID CITY, 57701 | Pierre, PIERRE, 57501
608 WI | Madison, MADISON, 53703; 53711 | La Crosse, LA CROSSE, 54601
612 MN | Minneapolis, TWIN CITIES, 55401; 55403; 55408
613 ON | Ottawa, OTTAWA HULL, K1P 5G4; K2P 1L4 | Kingston, KINGSTON, K7L 1A4
614 OH | Columbus, COLUMBUS, 43215; 43201; 43085
615 TN | Nashville, NASHVILLE, 37201; 37203; 37212 | Franklin, FRANKLIN, 37064
616 MI | Grand Rapids, GRAND RAPIDS, 49503; 49506 | Holland, HOLLAND, 49423
617 MA | Boston, BOSTON, 02108; 02116; 02210 | Cambridge, CAMBRIDGE, 02139
619 CA | San Diego, SAN DIEGO, 92101; 92103 | Chula Vista, CHULA VISTA, 91910
620 KS | Emporia, EMPORIA, 66801 | Hutchinson, HUTCHINSON, 67501 | Dodge City, DODGE CITY, 67801
651 MN | Saint Paul, TWIN CITIES, 55101; 55102; 55105
701 ND | Fargo, FARGO, 58102 | Bismarck, BISMARCK, 58501 | Grand Forks, GRAND FORKS, 58201
702 NV | Las Vegas, LAS VEGAS, 89101; 89109; 89117 | Henderson, LAS VEGAS, 89015
704 NC | Charlotte, CHARLOTTE, 28202; 28203 | Gastonia, GASTONIA, 28052
706 GA | Augusta, AUGUSTA, 30901 | Columbus, COLUMBUS, 31901 | Athens, ATHENS, 30601
709 NL | Saint John's, SAINT JOHN'S, A1C 5M9; A1B 3X9 | Corner Brook, CORNER BROOK, A2H 6J8
713 TX | Houston, HOUSTON, 77002; 77006; 77019
719 CO | Colorado Springs, COLORADO SPRINGS, 80903; 80918 | Pueblo, PUEBLO, 81003
757 VA | Norfolk, NORFOLK ZONE 1, 23510 | Virginia Beach, VIRGINIA BEACH, 23451; 23462
775 NV | Reno, RENO, 89501; 89509 | Carson City, CARSON CITY, 89701
780 AB | Edmonton, EDMONTON, T5J 2R7; T6E 1A1 | Grande Prairie, GRANDE PRAIRIE, T8V 4C4
785 KS | Topeka, TOPEKA, 66603; 66612 | Lawrence, LAWRENCE, 66044 | Salina, SALINA, 67401
801 UT | Salt Lake City, SALT LAKE CITY, 84101; 84111 | Provo, PROVO, 84601 | Ogden, OGDEN, 84401
802 VT | Burlington, BURLINGTON, 05401 | Montpelier, MONTPELIER, 05602
803 SC | Columbia, COLUMBIA, 29201; 29205 | Rock Hill, ROCK HILL, 29730
804 VA | Richmond, RICHMOND, 23219; 23220 | Petersburg, PETERSBURG, 23803
808 HI | Honolulu, HONOLULU, 96813; 96815 | Hilo, HILO, 96720 | Kailua, KAILUA, 96734
813 FL | Tampa, TAMPA CENTRAL, 33602; 33606 | Plant City, PLANT CITY, 33563
816 MO | Kansas City, KANSAS CITY, 64105; 64108; 64111 | Independence, INDEPENDENCE, 64050
901 TN | Memphis, MEMPHIS, 38103; 38104; 38117
902 NS | Halifax, HALIFAX, B3J 1S9; B3H 4R2 | Sydney, SYDNEY, B1P 6T1
904 FL | Jacksonville, JACKSONVILLE, 32202; 32207 | Saint Augustine, SAINT AUGUSTINE, 32084
907 AK | Anchorage, ANCHORAGE, 99501; 99503 | Fairbanks, FAIRBANKS, 99701 | Juneau, JUNEAU, 99801
913 KS | Overland Park, MISSION, 66210; 66212 | Kansas City, KANSAS CITY, 66101; 66102 | Olathe, OLATHE, 66061
916 CA | Sacramento, SACRAMENTO MAIN, 95814; 95816 | Roseville, ROSEVILLE, 95678
918 OK | Tulsa, TULSA, 74103; 74105; 74133 | Broken Arrow, BROKEN ARROW, 74012
919 NC | Raleigh, RALEIGH, 27601; 27607 | Durham, DURHAM, 27701
"""


@dataclass(frozen=True)
class Locality:
    """A postal code of a city, as the vendor describes where a number belongs."""

    country: str
    state: str
    city: str
    rate_center: str
    zipcode: str


def area_codes() -> dict[str, list[Locality]]:
    """The localities of every area code of the table, in the table's order."""
    lines = TABLE.strip().splitlines()
    return dict(_read_line(line) for line in lines)


def _read_line(line: str) -> tuple[str, list[Locality]]:
    head, *cities = line.split(" | ")
    code, state = head.split()
    country = "CA" if state in CANADIAN_PROVINCES else "US"
    localities = []
    for city in cities:
        name, rate_center, zipcodes = (part.strip() for part in city.split(","))
        for zipcode in zipcodes.split("; "):
            localities.append(Locality(country, state, name, rate_center, zipcode))
    return code, localities
