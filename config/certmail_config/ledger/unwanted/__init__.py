"""Whether a reminder that a campaign planned is still wanted: marks that begin looks at.

`references` names campaigns and reviewers so that Redis tells nobody who they are, `marks` says of
them what begin is to know.
"""
