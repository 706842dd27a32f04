"""The security mechanisms: state machines of one shape (`base.Mechanism`), one file each.

To add one: subclass Mechanism, give its states a table in `states.py`, and hand an instance to
`Connection`.
"""
