"""What each command does: functions from an Ask to cards."""
