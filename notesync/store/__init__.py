"""The disk: people's notes, the disposable index, earlier texts."""
