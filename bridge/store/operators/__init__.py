"""Operators' data: dead letters, erasures, the audit log, logins and alerts."""
