"""Configs of other tools, and older forms of ours: recognise them, and write them as they are written here."""
