"""Campaigns that run, in SQL: what they are, their reviewers, progress, and the planned mails.

Whatever changes a campaign or its reviewers takes its row first (`hold`): so changes of one
campaign come one after the other, and the planner hears of each.
"""
