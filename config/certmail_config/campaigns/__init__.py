"""Campaigns: who is to be reminded when, as a pure function; nothing here has a store or a clock.

Start with `plan`. What people write is in `campaign`, `cadence` and `reviewer`, read by `reading`;
`calendar` and `moments_of_day` say which days and hours are theirs, `slots` which days the rules
name, and `deciding` what goes on them. `departures` says what a mailbox's pace makes of it. docs/campaigns.md has every rule in one sentence.
"""
