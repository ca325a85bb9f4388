"""One note's text: read without loss, changed by the smallest splice.  Knows nothing of clients."""
