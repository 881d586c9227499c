"""HTTP calls to other services: one deadline per call, parsing of answers, and retries within seconds."""
