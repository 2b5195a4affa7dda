"""Rehearsal: campaigns as they run, from the first mail to the last, ahead of time and into a sink.

The planner's turns, the ledger's scripts, the composing and the record are the running ones, on
stores that end with the rehearsal; only the clock is moved, and Gmail is a sink that takes
everything. Start at `run_through`; `stage` is what it runs on, `batches` how mails are delivered,
`sink` where they end, `upstream` who tells of progress, `completions` who becomes done on the way,
`outcome` what came of it.
"""
