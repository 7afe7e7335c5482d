"""Tile maps of the countries of the world and of the states of the USA. The tiles are roughly at their geographic positions.

Small territories are not on the maps. They are in the tables below them.
"""

WORLD = """
.. .. .. .. .. .. GL .. .. IS .. NO SE FI .. .. .. .. .. .. .. .. .. .. .. .. ..
.. CA .. .. .. .. .. .. .. .. .. DK .. EE RU .. .. .. .. .. .. .. .. .. .. .. ..
.. US .. .. .. .. .. .. IE GB NL DE PL LV LT BY KZ .. MN .. .. .. .. .. .. .. ..
.. MX .. BS .. .. .. .. .. BE LU CZ SK HU MD UA UZ KG .. CN KP JP .. .. .. .. ..
.. GT BZ CU HT DO PR .. .. FR LI CH AT SI RO GE TM TJ .. .. KR .. .. .. .. .. ..
.. SV HN JM KN AG DM .. PT ES AD MC IT HR RS BG AM AZ AF NP BT .. TW .. .. .. ..
.. .. NI .. .. LC BB .. .. .. .. SM VA BA ME XK MK TR IR PK IN BD MM LA VN HK MO
.. .. CR PA VC GD TT .. .. .. .. .. MT .. AL GR CY SY IQ .. LK .. TH KH PH .. PW
.. .. .. CO VE GY SR GF CV MA DZ TN LY EG IL PS LB JO KW BH MV .. MY BN .. FM MH
.. .. EC PE BR .. .. .. .. MR ML NE TD SD ER .. .. SA QA AE .. SG ID TL PG NR KI
.. .. .. BO PY .. .. .. SN GM BF NG CM CF SS ET DJ YE OM .. .. .. .. .. SB TV WS
.. .. .. CL UY .. .. GW GN CI GH TG BJ GA CG UG KE SO .. SC .. .. AU .. VU FJ TO
.. .. .. AR .. .. .. .. SL LR ST GQ AO CD RW BI TZ KM MU .. .. .. .. NZ .. NC ..
.. .. .. .. .. .. .. .. .. .. .. NA BW ZM ZW MW MZ MG .. .. .. .. .. .. .. .. ..
.. .. .. .. .. .. .. .. .. .. .. .. ZA LS SZ .. .. .. .. .. .. .. .. .. .. .. ..
"""

UNITED_STATES = """
AK .. .. .. .. .. .. .. .. .. ME
.. .. .. .. .. .. .. .. .. VT NH
WA ID MT ND MN WI .. MI NY MA RI
OR NV WY SD IA IL IN OH PA NJ CT
CA UT CO NE MO KY WV VA MD DE ..
.. AZ NM KS AR TN NC SC DC .. ..
.. .. .. OK LA MS AL GA .. .. ..
HI .. .. TX .. .. .. .. FL .. PR
"""
