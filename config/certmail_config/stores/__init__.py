"""Reaching Redis and SQL, and what each of them is able to keep.

Start at connect.py, which opens both; capacity.py says whether there is room, health.py what doctor
shows.
"""
