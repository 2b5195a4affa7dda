"""How workers speak with Celery's queue in Redis: kombu's transport, made fit for a long life.

Start at `transport`; `batches` is what makes it fast, `channel` what lets it survive.
"""
