"""What goes to one person and what does not, of the days that their campaigns' rules name. Pure.

`person` has the order of it: one mail a day, then what is past, then several campaigns as one
digest, then the cap, then escalations, which count what goes.
"""
