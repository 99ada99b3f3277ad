"""From the picture to the file: contact, screen, codec, frame times."""
