"""Reaching Redis and SQL, and what each of them is able to keep.

`connect` opens both; `capacity` says whether there is room, `health` what doctor shows.
"""
