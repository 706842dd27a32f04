"""What several test suites share: the library under test, the far ends, and the search for leftovers."""
