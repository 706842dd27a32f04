"""A directory for the module path of child processes; see shmzmq/stand_in.py."""
