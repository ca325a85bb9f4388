"""Feed and agenda page over HTTP: what is shown (``board``), how (``app``), by which server (``server``)."""
