"""The libraries that are compared, one file each; `registry.py` lists them."""
