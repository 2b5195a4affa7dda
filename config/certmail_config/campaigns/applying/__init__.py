"""A plan, applied: which of its mails become jobs now, which jobs are withdrawn. Pure.

`horizon` says how far ahead, `mails` what each job carries, `difference` what is to be done so that
the ledger has what the plan wants, `next_look` when a campaign is to be planned again.
"""
