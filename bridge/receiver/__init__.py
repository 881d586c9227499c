"""The web process (Starlette): thin endpoints on top of `flow`. It never imports Celery."""
