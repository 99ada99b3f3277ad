"""Where a source fails: subgroups and worst clips."""
