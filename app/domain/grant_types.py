"""Owns the names of the grants, and what sets some of them apart from others."""

CODE = "authorization_code"
REFRESH = "refresh_token"
CLIENT = "client_credentials"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"

REGISTRABLE = (CODE, REFRESH, CLIENT, DEVICE)
"""What software may register for."""
BY_HAND = (EXCHANGE, ASSERTION)
"""What operators alone give: the client acts for people who are not asked then."""
ALL = REGISTRABLE + BY_HAND
PERSONAL = frozenset((CODE, DEVICE))
"""A person signs in and decides."""
WITHOUT_REDIRECT = frozenset((CLIENT, DEVICE, *BY_HAND))
"""No redirect URI says where their tokens go."""
