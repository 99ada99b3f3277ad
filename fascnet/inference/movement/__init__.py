"""What moves in a recording apart from twitches: seconds that cannot be scored, and periodic movement."""
