"""Other programs' files in, records out: one contract (``record.py``), one importer a format, no disk and no vault."""
