"""Operators' operations, each written once and used by the command line, the admin API and the console."""
