"""The bridge of a tutorial, for comparison in the soak: Starlette, `task.delay`, Celery's defaults."""
