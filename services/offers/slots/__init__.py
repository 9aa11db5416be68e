"""Slots: intervals on a room or a machine, booked by the quarter of an hour and never twice."""
