"""The studio and worked scenes: functions of a loaded actor."""
