"""Official folders under any profile: their files, recorded detections and replies, through the one procedure."""
