"""The Celery worker around a delivery: its pool, its transport, its tasks, signals and logs.

Start at `lifecycle`, which starts and stops everything that runs in a worker.
"""
