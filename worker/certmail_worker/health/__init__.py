"""Health: whether this process lives, can deliver, and can trust what it runs by.

Start at worker_health.py: what is asked over HTTP and told to systemd; `liveness` and
`readiness` judge. `progress` notes that the keeper's services get on, `server_clock` and
`clock_skew` judge clocks. Notes and judgements; nothing here acts on them.
"""
