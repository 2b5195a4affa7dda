"""Health: whether this process can trust what it runs by.

`progress` notes that the keeper's services get on, `server_clock` and `clock_skew` judge clocks.
Notes and pure judgements; nothing here acts on them.
"""
