"""How Redis is reached: clients, pipelines, wake-ups, the schema of what is stored, and its sealing."""
