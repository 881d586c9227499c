"""The bridge that a tutorial would show, for the soak to compare with: Starlette, `task.delay`, Celery's defaults."""
