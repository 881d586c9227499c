"""The Redis client: connections, pipelines, wake-ups, the schema version, and encryption."""
