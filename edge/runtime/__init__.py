"""The shell around the core: tasks, time, belt position, dispatch, recovery."""
