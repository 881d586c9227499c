"""What operators see and change: dead letters, erasures, the audit record, logins and alerts."""
