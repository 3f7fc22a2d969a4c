"""The address of initial access tokens in the console, and the least a form for one says."""

LIST = "/admin/initial-access-tokens/"
PLAIN = {"name": "New", "uses": "1", "lifetime": "1", "verdict": "rules"}
