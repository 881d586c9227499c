"""Lanes: waiting messages, leases, and the records of contacts and their messages. The main package of the store."""
