"""Owns the names of the grants, and what sets some of them apart from others."""

CODE = "authorization_code"
REFRESH = "refresh_token"
CLIENT = "client_credentials"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"

ALL = (CODE, REFRESH, CLIENT, DEVICE)
PERSONAL = frozenset((CODE, DEVICE))
"""A person signs in and decides."""
WITHOUT_REDIRECT = frozenset((CLIENT, DEVICE))
"""No redirect URI says where their tokens go."""
