"""What several suites share: the library under test, far ends, the search for leftovers."""
