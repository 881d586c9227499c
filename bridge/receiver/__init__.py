"""The Starlette receiver: thin doors onto the flow. It never imports Celery."""
