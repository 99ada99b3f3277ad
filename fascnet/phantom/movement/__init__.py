"""Movement of tissue: twitches, and all that is not a twitch."""
