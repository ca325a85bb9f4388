"""What comes out: the calendar, and text for terminals and programs."""
