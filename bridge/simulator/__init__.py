"""A simulation of GHL and of completion services, for demo and tests. It imports nothing from the bridge.

Read `app` (the routes) first, then `exchange` (one request and its answer), `ghl`, `completions` and `control`. `world` is the
state, `simulation` changes it, `faults` are scripted errors.
"""
