"""The Celery worker around a delivery: its pool, its transport, its tasks, signals and logs.

lifecycle.py starts and stops everything that runs in it.
"""
