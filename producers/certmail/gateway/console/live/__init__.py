"""Live pages: a stream for each, that says when what it shows may have changed.

hub.py asks the record for all of them at once; live_page.py is what a browser listens to.
"""
