"""What the notes mean: dates, settings, clients, the rules and the agenda.  Pure: no disk, no clock, no SQL."""
