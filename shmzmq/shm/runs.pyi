# Only compiled code uses this module.
